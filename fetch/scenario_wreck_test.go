package fetch_test

import (
	"context"
	"fmt"
	"iter"
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/fetch/save"
	"github.com/shoalfetch/shoal/internal/sim"
)

// fuse goes off at its nth use.
type fuse struct {
	left int
	off  func()
}

func (f *fuse) burn() {
	f.left--
	if f.left == 0 {
		f.off()
	}
}

// fused are the places where the caller's code runs on the loop.
var fused = map[string]func(s *scene, f *fuse, requests iter.Seq[fetch.Request]) iter.Seq[fetch.Request]{
	"loop body": nil,
	"source": func(s *scene, f *fuse, requests iter.Seq[fetch.Request]) iter.Seq[fetch.Request] {
		return func(yield func(fetch.Request) bool) {
			for q := range requests {
				f.burn()
				if !yield(q) {
					return
				}
			}
		}
	},
	"sink": func(s *scene, f *fuse, requests iter.Seq[fetch.Request]) iter.Seq[fetch.Request] {
		s.options.Sink = &fusedSink{save.Dir("out"), f}
		return requests
	},
	"accept": func(s *scene, f *fuse, requests iter.Seq[fetch.Request]) iter.Seq[fetch.Request] {
		s.options.Accept = func(*fetch.Head) error { f.burn(); return nil }
		return requests
	},
	"trace": func(s *scene, f *fuse, requests iter.Seq[fetch.Request]) iter.Seq[fetch.Request] {
		s.options.Trace = func(fetch.Event) { f.burn() }
		return requests
	},
}

type fusedSink struct {
	*save.Folder
	fuse *fuse
}

func (s *fusedSink) Open(info fetch.OpenInfo) (fetch.Body, error) {
	s.fuse.burn()
	b, err := s.Folder.Open(info)
	return &fusedBody{b, s.fuse}, err
}

type fusedBody struct {
	fetch.Body
	fuse *fuse
}

func (b *fusedBody) Write(piece []byte) error {
	b.fuse.burn()
	return b.Body.Write(piece)
}

// ways are the ways to leave that no return passes through.
var ways = map[string]func(){
	"panic":  func() { panic("fuse") },
	"goexit": runtime.Goexit,
}

// TestWreck leaves a Fetch by a panic, or by runtime.Goexit as require does,
// at the first, second, third and every later place where the caller's code
// runs. Nothing stays open, and the Fetcher works.
func TestWreck(t *testing.T) {
	for place, fit := range fused {
		for way, off := range ways {
			t.Run(place+" "+way, func(t *testing.T) {
				n := 1
				for wreckAt(t, n, off, fit) {
					n++
				}
				require.Greater(t, n, 8, "so few places?")
			})
		}
	}
}

// wreckAt leaves at the nth place, and says whether there were so many.
func wreckAt(t *testing.T, n int, off func(), fit func(*scene, *fuse, iter.Seq[fetch.Request]) iter.Seq[fetch.Request]) bool {
	s := newScene(t)
	s.k = newWorld(1, sim.Chaos{})
	s.on, s.options.Resolver, s.options.MaxPerHost = s.k, s.k, 2
	left := false
	f := &fuse{left: n, off: func() { left = true; off() }}
	requests := slices.Values(faultRequests())
	if fit != nil {
		requests = fit(s, f, requests)
	}
	fetcher, err := fetch.NewOn(s.on, s.k.Runner(), s.options)
	require.NoError(t, err)
	aside(func() {
		for range fetcher.Fetch(context.Background(), requests) {
			if fit == nil {
				f.burn()
			}
		}
	})
	if !left {
		f.left = math.MaxInt // what is left is no part of a Fetch
		require.NoError(t, fetcher.Close())
		return false
	}
	folders := 0
	if s.options.Sink != nil {
		folders = 1
	}
	require.Len(t, s.k.Open(), folders, "left at %d: %v", n, s.k.Open())
	for res, err := range fetcher.Fetch(context.Background(), slices.Values(gets("http://one.test/length/10/again"))) {
		require.NoError(t, err, "left at %d, used again", n)
		require.EqualValues(t, 10, res.Bytes)
	}
	require.NoError(t, fetcher.Close())
	require.Empty(t, s.k.Open(), "left at %d", n)
	require.Empty(t, s.k.Violations(), "left at %d", n)
	return true
}

// aside runs f where it can panic or exit.
func aside(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if p := recover(); p != nil && fmt.Sprint(p) != "fuse" {
				panic(p)
			}
		}()
		f()
	}()
	<-done
}

// TestBreak leaves after the nth result, and goes on with the same Fetcher.
func TestBreak(t *testing.T) {
	for n := 1; n <= len(faultRequests()); n++ {
		s := newScene(t)
		s.k = newWorld(1, sim.Chaos{})
		s.on, s.options.Resolver, s.options.Sink = s.k, s.k, save.Dir("out")
		f := s.fetcher()
		results := 0
		for range f.Fetch(context.Background(), slices.Values(faultRequests())) {
			if results++; results == n {
				break
			}
		}
		require.Equal(t, n, results)
		for _, name := range s.k.Names("out") {
			require.NotEqual(t, '.', rune(name[0]), "a temporary file was left")
		}
		require.NoError(t, s.run(f, gets("http://one.test/length/10/again")...)[0].err)
	}
}
