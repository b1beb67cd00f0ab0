package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
)

// docs has the command write its documents, and gives their folder.
func docs(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "docs")
	require.Equal(t, said{}, shoal(t, "docs", dir))
	return dir
}

// TestManPage: each flag that --help tells of stands in the man page, with what
// it does, and so do the subcommands and exit statuses.
func TestManPage(t *testing.T) {
	page := content(t, docs(t), "shoal.1")
	text := words(strings.NewReplacer(`\-`, "-", `\fB`, "", `\fI`, "", `\fR`, "", `\&`, "", `\e`, `\`).Replace(page))
	seen := 0
	command(new(settings), nil).Flags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			require.NotRegexp(t, `\.TP (-., )?--`+f.Name+` `, text)
			return
		}
		seen++
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		require.Contains(t, text, ".TP "+name)
		require.Contains(t, text, words(f.Usage), "what %s does", name)
	})
	require.Greater(t, seen, 7)
	for _, c := range []*cobra.Command{labCommand(nil, nil), demoCommand(nil, nil)} {
		require.Contains(t, text, ".SS shoal "+c.Use)
		c.LocalFlags().VisitAll(func(f *pflag.Flag) { require.Contains(t, text, "--"+f.Name) })
	}
	require.Contains(t, text, words(strings.TrimPrefix(exitHelp, "\nExit status:\n")))
}

// words is a text without the marks of a flag's value, on one line.
func words(text string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(text, "`", "")), " ")
}

func TestRoff(t *testing.T) {
	for text, want := range map[string]string{
		"":                 "",
		`-o a\nb`:          `\-o a\enb`,
		".TH\n'so\n a .TH": "\\&.TH\n\\&'so\n a .TH",
	} {
		require.Equal(t, want, roff(text))
	}
}

// TestManPageIsRoff has groff set the page, and say what it does not like.
func TestManPageIsRoff(t *testing.T) {
	groff, err := exec.LookPath("groff")
	if err != nil {
		t.Skip("NOT TESTED: there is no groff here")
	}
	var warnings strings.Builder
	c := exec.Command(groff, "-man", "-Tascii", "-P-cbou", "-ww", filepath.Join(docs(t), "shoal.1"))
	c.Stderr = &warnings
	set, err := c.Output()
	require.NoError(t, err, "%s", warnings.String())
	require.Empty(t, warnings.String())
	require.Contains(t, string(set), "--max-per-host N")
	require.Contains(t, string(set), "EXIT STATUS")
}

// TestDocsAreTheSameAgain: whoever builds them from the same sources gets the
// same bytes.
func TestDocsAreTheSameAgain(t *testing.T) {
	one, other := docs(t), docs(t)
	require.Equal(t, []string{"_shoal", "shoal.1", "shoal.bash", "shoal.fish"}, names(t, one))
	for _, name := range names(t, one) {
		require.Equal(t, content(t, one, name), content(t, other, name), name)
	}
}

// TestCompletionsAreScripts has each shell that is here read its own.
func TestCompletionsAreScripts(t *testing.T) {
	dir := docs(t)
	for shell, file := range map[string]string{"bash": "shoal.bash", "zsh": "_shoal", "fish": "shoal.fish"} {
		t.Run(shell, func(t *testing.T) {
			program, err := exec.LookPath(shell)
			if err != nil {
				t.Skipf("NOT TESTED: there is no %s here", shell)
			}
			said, err := exec.Command(program, "-n", filepath.Join(dir, file)).CombinedOutput()
			require.NoError(t, err, "%s", said)
			require.Empty(t, said)
		})
	}
}

// TestCompletionKnowsFlags asks what the scripts ask.
func TestCompletionKnowsFlags(t *testing.T) {
	got := shoal(t, "__complete", "--max-per")
	require.Equal(t, exitOK, got.status, got.stderr)
	require.Contains(t, got.stdout, "--max-per-host\t")
}

func TestDocsIntoAFile(t *testing.T) {
	require.NotEqual(t, exitOK, shoal(t, "docs", filepath.Join("docs.go", "below")).status)
}
