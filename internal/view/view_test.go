package view

import (
	"encoding/json"
	"errors"
	"math"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/kernel"
)

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{
		0:             "0 B",
		1023:          "1023 B",
		1024:          "1.0 KB",
		1536:          "1.5 KB",
		1 << 20:       "1.0 MB",
		5<<30 + 1<<29: "5.5 GB",
		math.MaxInt64: "8.0 EB",
	} {
		require.Equal(t, want, Size(n))
	}
}

func TestPlain(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "",
		"as it is, Größe, 日本":     "as it is, Größe, 日本",
		"two\nlines\r\tand a tab": `two\u000alines\u000d\u0009and a tab`,
		"\x1b[2J":                 `\u001b[2J`,
		"\u009b31m":               `\u009b31m`,
		"a\u202eb\u200bc":         `a\u202eb\u200bc`,
		"\xff is no UTF-8":        `\xff is no UTF-8`,
		"\x00\x7f":                `\u0000\u007f`,
	} {
		require.Equal(t, want, Plain(text))
	}
}

func TestSummary(t *testing.T) {
	var tally Tally
	for outcome, times := range map[fetch.Outcome]int{fetch.Fetched: 3, fetch.Skipped: 2, fetch.Failed: 1} {
		for range times {
			tally.Add(&fetch.Result{Outcome: outcome, Bytes: 512})
		}
	}
	require.Equal(t, 6, tally.Total())
	require.Equal(t, "3 fetched, 2 skipped, 1 failed; 3.0 KB in 1.235s", tally.Summary(1234567*time.Microsecond))
	require.Equal(t, "0 fetched; 0 B in 0s", new(Tally).Summary(0))
}

func TestLedger(t *testing.T) {
	c := kernel.Counts{Events: 5, Sent: 100, Received: 2000, Written: 1900, Spliced: 7}
	c.Calls[kernel.CallConnect], c.Again[kernel.CallConnect] = 1, 1
	c.Calls[kernel.CallSend] = 4
	c.Calls[kernel.CallRename], c.Failed[kernel.CallRename] = 3, 2
	c.Calls[kernel.CallWait] = 2
	require.Equal(t, ""+
		"call              calls  per fetch    again   failed\n"+
		"connect               1       0.25        1        0\n"+
		"send                  4       1.00        0        0\n"+
		"wait                  2       0.50        0        0\n"+
		"rename                3       0.75        0        2\n"+
		"all                  10       2.50\n"+
		"2.5 events a wait, 100 bytes sent, 2000 received, 1900 written, 7 spliced\n", Ledger(c, 4))
	require.Equal(t, ""+
		"call              calls  per fetch    again   failed\n"+
		"all                   0       0.00\n", Ledger(kernel.Counts{}, 0))
}

func asJSON(t *testing.T, res *fetch.Result, err error) string {
	t.Helper()
	line, jsonErr := json.Marshal(RecordOf(res, err, func(name string) string { return "out/" + name }))
	require.NoError(t, jsonErr)
	return string(line)
}

const noTime = `"timings":{"queue":0,"lookup":0,"connect":0,"send":0,"wait":0,"receive":0,"total":0}`

func TestRecord(t *testing.T) {
	res := &fetch.Result{
		Request:  fetch.Request{URL: "http://h/a?<&>", Tag: 7},
		Outcome:  fetch.Fetched,
		URL:      "http://h/b",
		Name:     "a",
		Bytes:    12,
		Attempts: 2,
		Reused:   true,
		Remote:   netip.MustParseAddrPort("[::1]:80"),
		Timings:  fetch.Timings{Queue: 250 * time.Millisecond, Total: 1500 * time.Microsecond},
	}
	require.JSONEq(t, `{"v":1,"line":7,"url":"http://h/a?<&>","final_url":"http://h/b","outcome":"saved","bytes":12,
		"path":"out/a","attempts":2,"reused":true,"remote":"[::1]:80",
		"timings":{"queue":0.25,"lookup":0,"connect":0,"send":0,"wait":0,"receive":0,"total":0.0015}}`, asJSON(t, res, nil))
}

func TestRecordOfAFailure(t *testing.T) {
	res := &fetch.Result{Request: fetch.Request{URL: "http://h/a"}, URL: "http://h/a", Name: "a"}
	err := &fetch.Error{URL: "http://h/a", Phase: fetch.PhaseDial, Attempt: 1, Err: syscall.ECONNREFUSED}
	require.JSONEq(t, `{"v":1,"url":"http://h/a","outcome":"failed","bytes":0,"attempts":0,"reused":false,`+noTime+`,
		"error":{"phase":"dial","message":"connection refused"}}`, asJSON(t, res, err))
	require.JSONEq(t, `{"v":1,"url":"http://h/a","outcome":"failed","bytes":0,"attempts":0,"reused":false,`+noTime+`,
		"error":{"phase":"","message":"as it came"}}`, asJSON(t, res, errors.New("as it came")))
}
