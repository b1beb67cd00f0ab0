package fetch_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/fetch/save"
	"github.com/shoalfetch/shoal/internal/http1"
	"github.com/shoalfetch/shoal/internal/kernel"
	"github.com/shoalfetch/shoal/internal/sim"
)

// faultRequests are few, and yet take every kind of step.
func faultRequests() []fetch.Request {
	echo := "/echo/100000/7"
	all := gets(
		"http://one.test/length/100/1", "http://one.test/length/0/2", "http://one.test/chunked/5000/3",
		"http://one.test/to/302/length/50/4", "http://both.test/close/2000/5", "http://one.test/length/400000/6",
		"http://one.test/status/404/8", "http://six.test/old/10/9")
	all = append(all, fetch.Request{URL: "http://one.test" + echo, Method: "PUT", Body: body(echo)})
	for n := range all {
		all[n].Tag = n
	}
	return all
}

// TestEveryCallFails lets the first call to the kernel fail, then the second,
// and so on to the last. Whatever fails: no panic, each request pulled ends
// once, what is called fetched is whole, nothing stays open.
func TestEveryCallFails(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.EIO, syscall.ENOMEM, syscall.EMFILE} {
		for _, folder := range []bool{true, false} {
			n := uint64(0)
			for more := true; more; {
				n++
				t.Run(fmt.Sprintf("%d/%v/folder=%v", n, errno, folder), func(t *testing.T) {
					failNth(t, n, errno, folder, &more)
				})
			}
			require.Greater(t, n, uint64(80), "so few calls?")
		}
	}
}

// failNth runs a small world in which the nth call fails. more says whether
// there were so many, also when the test fails.
func failNth(t *testing.T, nth uint64, errno syscall.Errno, folder bool, more *bool) {
	k := newWorld(1, sim.Chaos{})
	defer func() {
		if p := recover(); p != nil {
			t.Fatalf("call %d failed: %v", nth, p)
		}
	}()
	faulty := kernel.Inject(k, kernel.Faults{Nth: nth, Call: kernel.AnyCall, Errno: errno})
	defer func() { *more = faulty.Fired() }()
	options := fetch.Options{Resolver: k, MaxPerHost: 2}
	if folder {
		options.Sink = save.Dir("out")
	}
	f, err := fetch.NewOn(faulty, k.Runner(), options)
	if err != nil {
		require.Empty(t, k.Open(), "call %d failed, New too", nth)
		require.ErrorIs(t, err, errno)
		return
	}
	source := &pulled{requests: faultRequests()}
	yielded := map[int]int{}
	for res, err := range f.FetchFrom(context.Background(), source) {
		yielded[res.Request.Tag.(int)]++
		checkFault(t, k, nth, res, err, folder)
	}
	require.Len(t, yielded, source.next, "call %d failed: %d requests pulled", nth, source.next)
	for tag, times := range yielded {
		require.Equal(t, 1, times, "call %d failed: request %d", nth, tag)
	}
	_ = f.Close() // may be what fails
	require.Empty(t, k.Open(), "call %d failed", nth)
	require.Empty(t, k.Violations(), "call %d failed", nth)
	temps := slices.DeleteFunc(k.Names("out"), func(name string) bool { return !strings.HasPrefix(name, ".") })
	if !strings.Contains(k.Log(), "unlink") {
		require.Empty(t, temps, "call %d failed", nth)
	}
}

func checkFault(t *testing.T, k *sim.Kernel, nth uint64, res *fetch.Result, err error, folder bool) {
	if err != nil {
		return
	}
	want := wanted(t, res)
	got := res.Body
	if folder {
		got = k.Files("out")[res.Name]
	}
	if res.End == http1.UntilClose && len(got) < len(want) {
		t.Errorf("call %d failed: a cut body was called whole", nth)
	}
	require.True(t, string(want) == string(got), "call %d failed: %s is not whole", nth, res.URL)
}

// pulled is a Source that counts what was pulled.
type pulled struct {
	requests []fetch.Request
	next     int
}

func (p *pulled) Next() (fetch.Request, fetch.Supply) {
	if p.next == len(p.requests) {
		return fetch.Request{}, fetch.End
	}
	p.next++
	return p.requests[p.next-1], fetch.More
}

func (p *pulled) Notify(func()) {}
