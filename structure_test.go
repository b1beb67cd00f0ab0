// Package shoal_test holds the tree to the rules that ARCHITECTURE.md lists
// under "What never happens".
package shoal_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/shoalfetch/shoal/"

// room is a package, and what it may import outside its tests: packages of
// ours, and modules of others.
type room struct {
	folder string
	ours   []string
	others []string
}

// rooms are all the packages there are. Imports go down this list, so that they
// form no circle.
var rooms = []room{
	{"bench", []string{"bench/build", "bench/origin"}, nil},
	{"bench/scale", []string{"bench/build", "bench/origin", "fetch", "fetch/save", "internal/kernel", "internal/offload", "poller"}, nil},
	{"bench/steps", []string{"bench/build"}, nil},
	{"bench/build", nil, nil},
	{"bench/origin", nil, nil},
	{"cmd/shoal", []string{"fetch", "fetch/save", "internal/lab", "internal/list", "internal/state", "internal/robots", "internal/view", "internal/kernel", "internal/offload", "internal/cookies", "internal/netrc", "internal/rate"}, []string{"github.com/spf13/cobra", "github.com/spf13/pflag", "golang.org/x/net/http/httpproxy", "golang.org/x/term"}},
	{"internal/view", []string{"fetch", "internal/kernel", "internal/http1", "internal/tlsconn", "internal/robots"}, []string{"golang.org/x/term"}},
	{"fetch/save", []string{"fetch", "internal/kernel"}, []string{"golang.org/x/text"}},
	{"fetch", []string{"poller", "internal/kernel", "internal/offload", "internal/http1", "internal/socks5", "internal/tlsconn", "internal/rate", "internal/decode"}, []string{"golang.org/x/net/idna", "golang.org/x/net/http/httpguts"}},
	{"internal/sim", []string{"poller", "internal/kernel", "internal/offload"}, nil},
	{"internal/lab", nil, nil},
	{"internal/list", nil, nil},
	{"internal/state", nil, nil},
	{"internal/rate", nil, nil},
	{"internal/robots", nil, nil},
	{"internal/netrc", nil, nil},
	{"internal/cookies", nil, []string{"golang.org/x/net/publicsuffix"}},
	{"internal/http1", nil, nil},
	{"internal/tlsconn", []string{"internal/coro"}, nil},
	{"internal/decode", []string{"internal/coro"}, []string{"github.com/andybalholm/brotli", "github.com/klauspost/compress/zstd"}},
	{"internal/coro", nil, nil},
	{"internal/socks5", nil, nil},
	{"internal/proxytest", []string{"internal/porttest"}, []string{"github.com/stretchr/testify"}},
	{"internal/leaktest", nil, []string{"github.com/stretchr/testify"}},
	{"internal/porttest", nil, []string{"github.com/stretchr/testify", "golang.org/x/sys"}},
	{"internal/offload", nil, nil},
	{"internal/kernel", []string{"poller"}, []string{"golang.org/x/sys"}},
	{"poller", nil, []string{"golang.org/x/sys"}},
}

// The packages of which something special is asked.
var (
	sansIO     = []string{"internal/http1", "internal/tlsconn", "internal/coro", "internal/socks5", "internal/decode"} // are fed bytes
	notSansIO  = []string{"net", "os", "syscall", "time", "context", "sync", "runtime", "unsafe"}
	mayGo      = []string{"internal/offload", "internal/lab", "internal/sim", "cmd", "bench"}
	mayAskTime = []string{"internal/kernel", "cmd", "bench"}
	mayWait    = append([]string{"internal/lab", "internal/sim", "internal/proxytest", "internal/leaktest"}, mayAskTime...)
	documented = []string{"poller", "fetch", "fetch/save"}
)

// typesOnly are packages of notSansIO of which a package fed bytes must name
// some types all the same, and these types: crypto/tls speaks through a net.Conn,
// and reports alerts in a net.OpError.
var typesOnly = map[string]map[string][]string{
	"internal/tlsconn": {"net": {"Addr", "Conn", "OpError"}, "time": {"Time", "Parse", "RFC3339"}},
}

// source is one file of Go, on whatever system it is for.
type source struct {
	*ast.File
	folder string // from the root, with slashes
	name   string
	files  *token.FileSet
}

func (s *source) isTest() bool { return strings.HasSuffix(s.name, "_test.go") }

// at says where something stands.
func (s *source) at(n ast.Node) string {
	return fmt.Sprintf("%s:%d", path.Join(s.folder, s.name), s.files.Position(n.Pos()).Line)
}

// tree parses every file of the module. What is below a go.mod of its own is
// not of this module.
func tree(t *testing.T) (all []*source) {
	files := token.NewFileSet()
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != "." && (d.Name() == "testdata" || d.Name()[0] == '.' || isModule(name)) {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		file, err := parser.ParseFile(files, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		all = append(all, &source{file, filepath.ToSlash(filepath.Dir(name)), d.Name(), files})
		return nil
	})
	require.NoError(t, err)
	require.Greater(t, len(all), 100, "so few files?")
	return all
}

func isModule(folder string) bool {
	_, err := os.Stat(filepath.Join(folder, "go.mod"))
	return err == nil
}

// within says whether a folder is one of some, or below one.
func within(folder string, some []string) bool {
	return slices.ContainsFunc(some, func(s string) bool {
		return folder == s || strings.HasPrefix(folder, s+"/")
	})
}

// TestImports holds each package to the imports it may have.
func TestImports(t *testing.T) {
	for _, s := range tree(t) {
		if s.isTest() {
			continue
		}
		at := roomOf(s.folder)
		if at < 0 {
			t.Errorf("%s: the package %s is not in the list of this test, nor perhaps in ARCHITECTURE.md", s.at(s), s.folder)
			continue
		}
		for _, i := range s.Imports {
			p, err := strconv.Unquote(i.Path.Value)
			require.NoError(t, err)
			if why := rooms[at].refuses(p); why != "" {
				t.Errorf("%s imports %s: %s", s.at(i), p, why)
			}
		}
	}
}

// refuses says why a package may not import a path, if it may not.
func (r *room) refuses(p string) string {
	first, _, _ := strings.Cut(p, "/")
	ours, isOurs := strings.CutPrefix(p, module)
	switch {
	case isOurs && !slices.Contains(r.ours, ours):
		return fmt.Sprintf("of ours %s may import %q", r.folder, r.ours)
	case !isOurs && strings.Contains(first, ".") && !within(p, r.others):
		return fmt.Sprintf("of others %s may import %q", r.folder, r.others)
	case slices.Contains(sansIO, r.folder) && within(p, notSansIO) && typesOnly[r.folder][p] == nil:
		return "what is fed bytes does no I/O and keeps no time"
	}
	return ""
}

func roomOf(folder string) int {
	return slices.IndexFunc(rooms, func(r room) bool { return r.folder == folder })
}

// TestTypesOnly holds those that may import a package for its types to them.
func TestTypesOnly(t *testing.T) {
	for _, s := range tree(t) {
		if s.isTest() || typesOnly[s.folder] == nil {
			continue
		}
		ast.Inspect(s.File, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			x, ok := sel.X.(*ast.Ident)
			if !ok {
				return true
			}
			if allowed := typesOnly[s.folder][x.Name]; allowed != nil && !slices.Contains(allowed, sel.Sel.Name) {
				t.Errorf("%s: %s.%s; of this package %s may name %q", s.at(sel), x.Name, sel.Sel.Name, s.folder, allowed)
			}
			return true
		})
	}
}

// TestImportsFormNoCircle looks at the list itself.
func TestImportsFormNoCircle(t *testing.T) {
	for n, r := range rooms {
		require.DirExists(t, filepath.FromSlash(r.folder))
		for _, ours := range r.ours {
			require.Greater(t, roomOf(ours), n, "%s imports %s, which is not below it", r.folder, ours)
		}
	}
}

// TestGoStatements: goroutines are made in few places, so that the engine has
// none.
func TestGoStatements(t *testing.T) {
	for _, s := range tree(t) {
		if s.isTest() || within(s.folder, mayGo) {
			continue
		}
		ast.Inspect(s.File, func(n ast.Node) bool {
			if g, ok := n.(*ast.GoStmt); ok {
				t.Errorf("%s: a go statement; they may stand in %q", s.at(g), mayGo)
			}
			return true
		})
	}
}

// worldClock are the functions of package time that go by the world's clock,
// and where they may be called.
var worldClock = map[string][]string{
	"Now": mayAskTime, "Since": mayAskTime, "Until": mayAskTime,
	"After": mayWait, "AfterFunc": mayWait, "NewTimer": mayWait, "NewTicker": mayWait, "Tick": mayWait, "Sleep": mayWait,
}

// TestClock: the engine's time is what the kernel said at the beginning of the
// turn.
func TestClock(t *testing.T) {
	for _, s := range tree(t) {
		if s.isTest() {
			continue
		}
		ast.Inspect(s.File, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			x, ok := sel.X.(*ast.Ident)
			where, known := worldClock[sel.Sel.Name]
			if ok && known && x.Name == "time" && !within(s.folder, where) {
				t.Errorf("%s: time.%s; it may stand in %q", s.at(sel), sel.Sel.Name, where)
			}
			return true
		})
	}
}
