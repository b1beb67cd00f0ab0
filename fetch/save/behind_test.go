package save_test

import (
	"bytes"
	"context"

	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/fetch/save"
	"github.com/shoalfetch/shoal/internal/kernel"
	"github.com/shoalfetch/shoal/internal/offload"
)

// gated is a kernel with a disk that falls behind at a write of "late", by its
// clock, and whose writes of "stuck" wait until the gate is opened.
type gated struct {
	kernel.Kernel
	ahead atomic.Int64
	gate  chan struct{}
	stuck chan struct{} // closed by the write that has come to the gate
	lost  atomic.Int32  // whether it failed afterwards
}

// Delayed: whatever else the machine does, "late" was late by the disk.
func (k *gated) Delayed() time.Duration { return 0 }

func (k *gated) Now() time.Duration { return k.Kernel.Now() + time.Duration(k.ahead.Load()) }

func (k *gated) Write(fd int, p []byte) (int, error) {
	switch {
	case bytes.HasPrefix(p, []byte("late")):
		k.ahead.Add(int64(time.Second))
	case bytes.HasPrefix(p, []byte("stuck")):
		close(k.stuck)
		<-k.gate
		n, err := k.Kernel.Write(fd, p)
		if err != nil {
			k.lost.Add(1)
		}
		return n, err
	}
	return k.Kernel.Write(fd, p)
}

// behind is a Fetcher that saves into a folder whose disk is behind, and a server
// that gives nothing but "late" and "stuck" before a write is stuck.
func behind(t *testing.T, o fetch.Options) (f *fetch.Fetcher, k *gated, s *httptest.Server, path string) {
	real, err := kernel.New()
	require.NoError(t, err)
	k = &gated{Kernel: real, gate: make(chan struct{}), stuck: make(chan struct{})}
	s = serveWith(t, func(w http.ResponseWriter, r *http.Request) {
		name := r.URL.Path[1:]
		if name != "late" && name != "stuck" {
			<-k.stuck
		}
		switch name {
		case "silent":
			w.Header().Set("Content-Length", "10")
			w.Write([]byte(name))
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		case "missing":
			http.NotFound(w, r)
		case "large":
			w.Write(large)
		default:
			w.Write([]byte(name))
		}
	})
	path = t.TempDir()
	o.Sink = save.Dir(path)
	f, err = fetch.NewOn(k, offload.New(16, func() { _ = k.Wake() }), o)
	require.NoError(t, err)
	for _, err := range f.Fetch(context.Background(), requestsTo(s, "late")) {
		require.NoError(t, err)
	}
	return f, k, s, path
}

// large is a body of more than a file may have waiting for the disk.
var large = bytes.Repeat([]byte("0123456789abcdef"), 5<<20/16)

func requestsTo(s *httptest.Server, names ...string) func(func(fetch.Request) bool) {
	var all []fetch.Request
	for _, name := range names {
		all = append(all, fetch.Request{URL: s.URL + "/" + name})
	}
	return slices.Values(all)
}

// TestStuckWriteHoldsNothingUp: while a write does not come back, other fetches
// are saved, refused and timed out.
func TestStuckWriteHoldsNothingUp(t *testing.T) {
	f, k, s, path := behind(t, fetch.Options{StallTimeout: time.Hour, MaxPerHost: 16})
	defer f.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	others := []string{"silent", "missing", "large", "one", "two", "three"}
	got := map[string]error{}
	for res, err := range f.Fetch(ctx, requestsTo(s, append([]string{"stuck"}, others...)...)) {
		got[res.Name] = err
		switch len(got) {
		case len(others) - 1: // all but the silent one
			k.ahead.Add(int64(2 * time.Hour))
		case len(others):
			require.NotContains(t, got, "stuck")
			close(k.gate)
		}
	}
	var timeout *fetch.TimeoutError
	require.ErrorAs(t, got["silent"], &timeout)
	require.Equal(t, "stall", timeout.Deadline)
	require.ErrorAs(t, got["missing"], new(*fetch.StatusError))
	for _, name := range []string{"stuck", "large", "one", "two", "three"} {
		require.NoError(t, got[name], name)
	}
	require.NoError(t, f.Close())
	require.Equal(t, map[string]string{"late": "late", "stuck": "stuck", "large": string(large),
		"one": "one", "two": "two", "three": "three"}, content(t, path))
}

// TestDiscardDuringWrite: a fetch that ends while a write of its file is under
// way leaves the descriptor to the worker, and in the end no file.
func TestDiscardDuringWrite(t *testing.T) {
	f, k, s, path := behind(t, fetch.Options{TotalTimeout: time.Hour})
	go func() {
		<-k.stuck
		k.ahead.Add(int64(2 * time.Hour))
		_ = k.Wake()
	}()
	for _, err := range f.Fetch(context.Background(), requestsTo(s, "stuck")) {
		var timeout *fetch.TimeoutError
		require.ErrorAs(t, err, &timeout)
	}
	close(k.gate)
	require.NoError(t, f.Close())
	require.Zero(t, k.lost.Load(), "a write to a descriptor that was closed meanwhile")
	require.Equal(t, map[string]string{"late": "late"}, content(t, path))
}

// full is a kernel whose disk is full from some write on.
type full struct {
	*gated
	room atomic.Int64
}

func (k *full) Write(fd int, p []byte) (int, error) {
	if k.room.Add(-int64(len(p))) < 0 {
		return 0, syscall.ENOSPC
	}
	return k.gated.Write(fd, p)
}

// TestFullDiskBeside: an error of a worker's is the error of its own fetch.
func TestFullDiskBeside(t *testing.T) {
	real, err := kernel.New()
	require.NoError(t, err)
	k := &full{gated: &gated{Kernel: real}}
	k.room.Store(1 << 20)
	s := serveWith(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/large") {
			w.Write(large)
		} else {
			w.Write([]byte(r.URL.Path[1:]))
		}
	})
	path := t.TempDir()
	f, err := fetch.NewOn(k, offload.New(4, func() { _ = k.Wake() }), fetch.Options{Sink: save.Dir(path)})
	require.NoError(t, err)
	for _, name := range []string{"late", "large", "small"} {
		for _, err := range f.Fetch(context.Background(), requestsTo(s, name)) {
			if name != "large" {
				require.NoError(t, err)
				continue
			}
			var e *fetch.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, fetch.PhaseSave, e.Phase)
			require.ErrorIs(t, err, syscall.ENOSPC)
			k.room.Store(1 << 20)
		}
	}
	require.NoError(t, f.Close())
	require.Equal(t, map[string]string{"late": "late", "small": "small"}, content(t, path))
}
