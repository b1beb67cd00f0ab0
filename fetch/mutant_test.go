package fetch_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMutants shows that the tests can fail: each patch in testdata/mutants puts
// one mistake into the engine, by an overlay, and the simulations must notice it,
// or the scenario that the patch names. A mutant that lives is a hole in the
// checks.
func TestMutants(t *testing.T) {
	patches, err := filepath.Glob("testdata/mutants/*.patch")
	require.NoError(t, err)
	require.NotEmpty(t, patches)
	for _, patch := range patches {
		t.Run(strings.TrimSuffix(filepath.Base(patch), ".patch"), func(t *testing.T) {
			t.Parallel()
			overlay := overlayOf(t, patch, t.TempDir())
			if testing.Short() || raceEnabled {
				t.Skip("it fits; each mutant is a build of its own, run without -short and without the race detector")
			}
			killMutant(t, patch, overlay)
		})
	}
}

// killMutant runs the tests on the engine with one mistake in it. It is built
// once, without what only costs time, and most mutants are dead after a few
// seeds.
func killMutant(t *testing.T, patch, overlay string) {
	program := filepath.Join(t.TempDir(), "mutant.test")
	out, err := exec.Command("go", "test", "-c", "-vet=off", "-ldflags=-s -w", "-overlay", overlay, "-o", program, ".").CombinedOutput()
	require.NoError(t, err, "%s does not build:\n%s", patch, out)
	for _, seeds := range []string{"4", "40"} {
		out, err = exec.Command(program, "-test.run="+seenBy(t, patch), "-test.failfast", "-seeds="+seeds, "-test.timeout=120s").CombinedOutput()
		if err != nil {
			t.Log(verdictOf(string(out)))
			return
		}
	}
	t.Fatalf("%s lives: %s did not notice it", patch, seenBy(t, patch))
}

// seenBy is the pattern of the tests that must notice a mutant: the one that its
// patch names, or the simulations.
func seenBy(t *testing.T, patch string) string {
	text, err := os.ReadFile(patch)
	require.NoError(t, err)
	if m := regexp.MustCompile(`(?m)^Seen by (\w+)\.$`).FindSubmatch(text); m != nil {
		return "^" + string(m[1]) + "$"
	}
	return "^TestSim"
}

// verdictOf says what noticed a mutant, from what go test printed.
func verdictOf(out string) string {
	if m := regexp.MustCompile(`\^(\w+)\$' -seed=(\d+)`).FindStringSubmatch(out); m != nil {
		return "killed by seed " + m[2] + " of " + m[1]
	}
	if m := regexp.MustCompile(`--- FAIL: (\w+)`).FindStringSubmatch(out); m != nil {
		return "killed by " + m[1]
	}
	if m := regexp.MustCompile(`(?m)^(panic: .*)$`).FindStringSubmatch(out); m != nil {
		return "killed by a " + m[1]
	}
	return "killed: " + out
}

// overlayOf writes the patched file into dir, and the overlay that puts it in
// the place of the original.
func overlayOf(t *testing.T, patch, dir string) string {
	t.Helper()
	text, err := os.ReadFile(patch)
	require.NoError(t, err)
	name, patched := applyPatch(t, string(text))
	original, err := filepath.Abs(filepath.Join("..", name))
	require.NoError(t, err)
	replacement := filepath.Join(dir, filepath.Base(name))
	require.NoError(t, os.WriteFile(replacement, []byte(patched), 0o666))
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{original: replacement}})
	require.NoError(t, err)
	path := filepath.Join(dir, "overlay.json")
	require.NoError(t, os.WriteFile(path, overlay, 0o666))
	return path
}

// applyPatch applies a unified diff to the one file it names. Hunks are found
// by their context, which must occur exactly once: line numbers drift.
func applyPatch(t *testing.T, patch string) (name, patched string) {
	t.Helper()
	var before, after strings.Builder
	apply := func() {
		if before.Len() == 0 {
			return
		}
		require.Equal(t, 1, strings.Count(patched, before.String()),
			"the patch of %s no longer fits; how often its context occurs", name)
		patched = strings.Replace(patched, before.String(), after.String(), 1)
		before.Reset()
		after.Reset()
	}
	for line := range strings.Lines(patch) {
		switch {
		case strings.HasPrefix(line, "+++ b/"):
			name = strings.TrimSpace(line[len("+++ b/"):])
			content, err := os.ReadFile(filepath.Join("..", name))
			require.NoError(t, err)
			patched = string(content)
		case name == "":
			// what stands before the diff says what the mistake is
		case strings.HasPrefix(line, "@@"):
			apply()
		case line[0] == '-':
			before.WriteString(line[1:])
		case line[0] == '+':
			after.WriteString(line[1:])
		case line[0] == ' ':
			before.WriteString(line[1:])
			after.WriteString(line[1:])
		}
	}
	apply()
	return name, patched
}
