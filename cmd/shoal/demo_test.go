package main

import (
	"bytes"
	"context"
	"errors"
	"image/jpeg"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/lab"
)

// runDemo is a demo that has run.
func runDemo(t *testing.T, dir string, seed uint64) (d *demo, stdout string) {
	t.Helper()
	var out, err bytes.Buffer
	d = &demo{dir: dir, seed: seed, conns: 128, stdout: &out, stderr: &err}
	require.NoError(t, d.run(context.Background()), err.String())
	return d, out.String()
}

// TestDemo: each tile is a file that is the right piece of the picture, or a
// hole that says why; the page and the last lines agree.
func TestDemo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	d, stdout := runDemo(t, dir, 1)
	page := content(t, dir, "index.html")
	require.True(t, strings.HasPrefix(page, demoMark))
	holes := 0
	for _, p := range d.plates {
		name := strconv.Itoa(p.Number) + ".jpg"
		shown := strings.Contains(page, `src="tiles/`+name+`"`)
		if p.Hole != "" {
			holes++
			require.Equal(t, wayDie, p.Way)
			require.Contains(t, []string{"reset", "cut off", "no answer"}, p.Hole)
			require.False(t, shown, name)
			require.NoFileExists(t, filepath.Join(dir, "tiles", name))
			continue
		}
		require.True(t, shown, name)
		requireTile(t, p.Number, content(t, dir, "tiles", name))
		require.Positive(t, p.Took)
		require.LessOrEqual(t, p.Finished(), d.took)
	}
	require.Positive(t, holes)
	require.Less(t, holes, 40)
	require.Equal(t, lab.Tiles-holes, len(names(t, filepath.Join(dir, "tiles"))))
	require.Equal(t, holes, strings.Count(page, `<li class="hole"`))
	require.Equal(t, lab.Tiles, strings.Count(page, "<li "))
	require.Equal(t, lab.Tiles, strings.Count(page, "<rect "))
	require.NotContains(t, page, "http://www", "the page needs nothing from elsewhere")

	require.Regexp(t, `^`+strconv.Itoa(lab.Tiles-holes)+` pictures, one thread, [0-9.]+ s; one after another [0-9.]+ s; [0-9.]+ system calls each\n`, stdout)
	require.LessOrEqual(t, d.atOnce(), 128)
	require.Greater(t, d.atOnce(), 64)
	require.Greater(t, d.oneByOne(), 5*d.took)
	require.Greater(t, d.callsEach(), 5.)
}

// TestDemoTLS: the same over TLS, with the same tiles and the same holes, but
// that a server which hangs up says so.
func TestDemoTLS(t *testing.T) {
	var out, err bytes.Buffer
	d := &demo{dir: t.TempDir(), seed: 1, conns: 128, tls: true, stdout: &out, stderr: &err}
	require.NoError(t, d.run(context.Background()), err.String())
	require.Regexp(t, `^\d+ pictures over TLS, one thread, `, out.String())
	for _, p := range d.plates {
		require.True(t, strings.HasPrefix(p.URL, "https://"), p.URL)
		if p.Hole == "" {
			requireTile(t, p.Number, content(t, d.dir, "tiles", strconv.Itoa(p.Number)+".jpg"))
		}
	}
	plain, _ := runDemo(t, t.TempDir(), 1)
	for n, p := range plain.plates {
		require.Equal(t, p.Hole, d.plates[n].Hole, "tile %d", n)
	}
}

// requireTile: a file is that piece of the mosaic, as near as JPEG comes.
func requireTile(t *testing.T, n int, file string) {
	t.Helper()
	m, err := jpeg.Decode(strings.NewReader(file))
	require.NoError(t, err)
	require.Equal(t, lab.TileSide, m.Bounds().Dx())
	const middle = lab.TileSide / 2
	x, y := n%lab.TileColumns*lab.TileSide+middle, n/lab.TileColumns*lab.TileSide+middle
	got, _, _, _ := m.At(middle, middle).RGBA()
	want, _, _, _ := lab.Mosaic().At(x, y).RGBA()
	require.InDelta(t, want>>8, got>>8, 40, "tile %d", n)
}

// TestDemoAgain: a second run leaves nothing of the first.
func TestDemoAgain(t *testing.T) {
	dir := t.TempDir()
	runDemo(t, dir, 1)
	d, _ := runDemo(t, dir, 2)
	for _, p := range d.plates {
		_, err := os.Stat(filepath.Join(dir, "tiles", strconv.Itoa(p.Number)+".jpg"))
		require.Equal(t, p.Hole != "", os.IsNotExist(err), "tile %d", p.Number)
	}
	require.Equal(t, []string{"index.html", "tiles"}, names(t, dir))
}

// TestDemoSparesOthers: somebody else's folder is left as it is, whether or
// not it has a page.
func TestDemoSparesOthers(t *testing.T) {
	for _, name := range []string{"7.jpg", "index.html", "tiles"} {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("mine"), 0o600))
		got := shoal(t, "demo", "-d", dir)
		require.Equal(t, exitUsage, got.status)
		require.Contains(t, got.stderr, "another folder")
		require.Equal(t, []string{name}, names(t, dir))
		require.Equal(t, "mine", content(t, dir, name))
	}
}

func TestDemoUsage(t *testing.T) {
	for expect, args := range map[string][]string{
		"from 1":                              {"-j", "0"},
		"--conns 2000000000: fetch: MaxConns": {"-j", "2000000000", "-d", t.TempDir()},
		"no URL":                              {"http://127.0.0.1/"},
		"--seed":                              {"--seed", "-1"},
		"lab_test.go":                         {"-d", "lab_test.go"},
	} {
		got := shoal(t, append([]string{"demo"}, args...)...)
		require.Equal(t, exitUsage, got.status, "%q", args)
		require.Contains(t, got.stderr, expect)
	}
}

// TestDemoFault: a picture that was to come and did not is a failure.
func TestDemoFault(t *testing.T) {
	var stderr bytes.Buffer
	d := &demo{stderr: &stderr, plates: []plate{{Way: wayDie, Hole: "reset"}, {Way: wayWell}}}
	require.NoError(t, d.verdict())
	d.plates[1].Hole, d.plates[1].Why = "timed out", "the whole story"
	require.ErrorIs(t, d.verdict(), errFailed)
	require.Contains(t, stderr.String(), "the whole story")
}

func TestHoleOf(t *testing.T) {
	for want, err := range map[string]error{
		"reset":     &fetch.Error{Phase: fetch.PhaseReceive, Err: syscall.ECONNRESET},
		"no answer": &fetch.Error{Phase: fetch.PhaseAwait, Err: errors.New("x")},
		"cut off":   &fetch.Error{Phase: fetch.PhaseReceive, Err: errors.New("x")},
		"timed out": &fetch.Error{Phase: fetch.PhaseReceive, Err: &fetch.TimeoutError{Deadline: "stall"}},
		"save":      &fetch.Error{Phase: fetch.PhaseSave, Err: syscall.ENOSPC},
		"failed":    context.Canceled,
	} {
		require.Equal(t, want, holeOf(err))
	}
}

// TestAtOnce counts what overlaps; to end and to begin at one moment is not to
// overlap.
func TestAtOnce(t *testing.T) {
	d := &demo{plates: []plate{{Began: 0, Took: 10}, {Began: 5, Took: 5}, {Began: 10, Took: 5}, {Began: 12, Took: 1}}}
	require.Equal(t, 2, d.atOnce())
	require.Equal(t, time.Duration(21), d.oneByOne())
}

func TestMarks(t *testing.T) {
	require.Equal(t, []int64{200, 400, 600, 800, 1000}, marks(1200))
	require.Equal(t, []int64{1, 2}, marks(3))
	for _, all := range []int64{1, 7, 99, 1000, 52_000, 300_000} {
		require.LessOrEqual(t, len(marks(all)), 6, "%d", all)
	}
}
