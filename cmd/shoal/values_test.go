package main

import (
	"context"
	"math"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
)

func TestDurationValue(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"10": 10 * time.Second, "0.5": 500 * time.Millisecond, ".25": 250 * time.Millisecond, "10s": 10 * time.Second,
		"2m": 2 * time.Minute, "1h30m": 90 * time.Minute, "200ms": 200 * time.Millisecond, "8760h": 8760 * time.Hour,
	} {
		var d time.Duration
		require.NoError(t, durationValue{&d, false}.Set(text), text)
		require.Equal(t, want, d, text)
	}
	for text, want := range map[string]error{
		"": errDuration, "soon": errDuration, "-1": errDuration, "-1s": errDuration, "NaN": errDuration, "10 s": errDuration,
		"0": errZeroDuration, "0s": errZeroDuration, "1e300": errLongDuration, "Inf": errLongDuration, "8761h": errLongDuration,
	} {
		var d time.Duration
		require.Equal(t, want, durationValue{&d, false}.Set(text), text)
		require.Zero(t, d)
	}
	d := time.Second
	require.NoError(t, durationValue{&d, true}.Set("0"))
	require.Zero(t, d)
}

func TestSizeValue(t *testing.T) {
	for text, want := range map[string]int64{
		"1": 1, "5000": 5000, "64k": 64 << 10, "64K": 64 << 10, "1.5M": 3 << 19, "2G": 2 << 30, "2g": 2 << 30,
	} {
		var n int64
		require.NoError(t, sizeValue{&n, math.MaxInt64 / 2}.Set(text), text)
		require.Equal(t, want, n, text)
	}
	for _, text := range []string{"", "k", "0", "-5", "5T", "1e3", "0x10", "Inf", "NaN", "1.2.3", "5 k", "0.1"} {
		var n int64
		require.Equal(t, errSize, sizeValue{&n, 1000}.Set(text), text)
	}
	var n int64
	require.NoError(t, sizeValue{&n, 1000}.Set("1000"))
	require.ErrorContains(t, sizeValue{&n, 1000}.Set("1k"), "at most 1000 bytes")
}

func TestPatience(t *testing.T) {
	for _, c := range []struct {
		text          string
		failed, ended int
		exhausted     bool
	}{
		{"0", 0, 9, false}, {"0", 1, 9, true}, {"10", 10, 10, false}, {"10", 11, 11, true},
		{"5%", 99, 99, false}, {"5%", 5, 100, false}, {"5%", 6, 100, true}, {"5%", 50, 1000, false}, {"5%", 51, 1000, true},
	} {
		var p patience
		require.NoError(t, p.Set(c.text))
		require.Equal(t, c.exhausted, p.exhausted(c.failed, c.ended), "%+v", c)
		require.Equal(t, c.text, p.String())
	}
	require.False(t, new(patience).exhausted(1000, 1000), "without the flag")
	for _, text := range []string{"", "-1", "x", "0%", "100%", "1.5%", "%"} {
		require.Error(t, new(patience).Set(text), text)
	}
}

// TestFields holds -H to what curl does, as far as the engine can.
func TestFields(t *testing.T) {
	var f fields
	for _, text := range []string{"X-A: 1", "X-A: 2", "Accept: image/*", "accept: image/webp", "X-B;", "X-C: 3", "x-c:", "Referer:  http://h/  "} {
		require.NoError(t, f.Set(text), text)
	}
	require.Equal(t, fields{{Name: "X-A", Value: "1"}, {Name: "X-A", Value: "2"}, {Name: "accept", Value: "image/webp"},
		{Name: "X-B", Value: " "}, {Name: "Referer", Value: "http://h/"}}, f)
	before := len(f)
	for text, want := range map[string]string{
		"X: a\r\nHost: b": "no line end", "X: \x00": "NUL", "X": "Name: value", "": "Name: value", ": v": "not the name", "X Y: v": "not the name",
		"http://h/a": "that is a URL", "content-length: 5": "by shoal itself", "Transfer-Encoding;": "by shoal itself", "Connection:": "by shoal itself",
		"Host:": "every request needs",
	} {
		require.ErrorContains(t, f.Set(text), want, text)
	}
	require.Len(t, f, before)
	require.NoError(t, f.Set("User-Agent:"))
	send, omit := f.split()
	require.Equal(t, []fetch.Field(f[:before]), send)
	require.Equal(t, []string{"User-Agent"}, omit)
}

func TestHosts(t *testing.T) {
	h := hosts{}
	for _, text := range []string{"one.test:80:127.0.0.1", "Two.test:*:[::1],127.0.0.2"} {
		require.NoError(t, h.Set(text))
	}
	for text, want := range map[string]string{
		"one": "HOST:PORT:ADDR", "three:80": "HOST:PORT:ADDR", ":80:127.0.0.1": "HOST:PORT:ADDR", "three:0:127.0.0.1": "HOST:PORT:ADDR",
		"three:80:there": "not an IP address", "ONE.test:81:127.0.0.1": "all its ports",
	} {
		require.ErrorContains(t, h.Set(text), want)
	}
	for network, want := range map[string][]netip.Addr{
		"ip":  {netip.MustParseAddr("::1"), netip.MustParseAddr("127.0.0.2")},
		"ip4": {netip.MustParseAddr("127.0.0.2")},
		"ip6": {netip.MustParseAddr("::1")},
	} {
		r := resolver{network, h}
		got, err := r.LookupNetIP(context.Background(), "ip", "two.TEST")
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

// TestOwnNames: names under localhost are this machine, unless --resolve says
// otherwise.
func TestOwnNames(t *testing.T) {
	loopback := []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1")}
	r := resolver{"ip", hosts{"away.localhost": {netip.MustParseAddr("192.0.2.1")}}}
	for host, want := range map[string][]netip.Addr{
		"a.localhost": loopback, "a.B.LocalHost": loopback, "a.localhost.": loopback,
		"away.localhost": {netip.MustParseAddr("192.0.2.1")},
	} {
		got, err := r.LookupNetIP(context.Background(), "ip", host)
		require.NoError(t, err)
		require.Equal(t, want, got, host)
	}
	r.network = "ip6"
	got, err := r.LookupNetIP(context.Background(), "ip", "a.localhost")
	require.NoError(t, err)
	require.Equal(t, loopback[1:], got)
}

// result is one of a fetch of a host, which failed in a phase or did not.
func result(host string, probe bool, phase fetch.Phase) (*fetch.Result, error) {
	res := &fetch.Result{Request: fetch.Request{URL: "http://" + host + "/", Tag: &place{lineage: commandLine, probe: probe}}}
	if phase == fetch.PhaseRequest {
		res.Outcome = fetch.Fetched
		return res, nil
	}
	return res, &fetch.Error{Phase: phase, Err: context.DeadlineExceeded}
}

// lost is a network of which the last thousand results were failures.
func lost(t *testing.T, host func(i int) string) *network {
	n := &network{wake: func() {}}
	for i := range lostAfter {
		require.True(t, n.admits())
		state, changed := n.note(result(host(i), false, []fetch.Phase{fetch.PhaseDial, fetch.PhaseLookup}[i%2]))
		require.Equal(t, i == lostAfter-1 && host(0) != host(1), changed)
		require.Equal(t, changed, state == networkWaiting)
	}
	return n
}

func TestNetworkOfOneHost(t *testing.T) {
	require.True(t, lost(t, func(int) string { return "a" }).admits(), "one dead host is no dead network")
}

func TestNetwork(t *testing.T) {
	hosts := func(i int) string { return string(rune('a' + i%2)) }
	for _, c := range []struct {
		name   string
		probe  bool
		phase  fetch.Phase
		expect networkState
	}{
		{"the probe fails", true, fetch.PhaseLookup, networkGone},
		{"the probe succeeds", true, fetch.PhaseRequest, networkUp},
		{"the probe is answered", true, fetch.PhaseStatus, networkUp},
		{"another fails", false, fetch.PhaseDial, networkProbing},
		{"another succeeds", false, fetch.PhaseRequest, networkUp},
		{"the probe says nothing", true, fetch.PhaseSave, networkWaiting},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := lost(t, hosts)
			require.False(t, n.admits(), "it did not wait")
			n.waited.Store(true)
			require.True(t, n.admits())
			require.True(t, n.admits(), "the source may have had nothing just then")
			require.True(t, n.begin())
			require.False(t, n.admits(), "more than one probe")
			n.note(result("c", c.probe, c.phase))
			require.Equal(t, c.expect, n.state)
			if c.expect != networkWaiting { // which is over at once
				require.Equal(t, c.expect == networkUp, n.admits())
			}
		})
	}
}
