package view

import (
	"errors"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
)

func asJSON(res *fetch.Result, err error) string {
	return string(AppendRecord(nil, RecordOf(res, err, func(name string) string { return "out/" + name })))
}

const noTime = `"timings":{"queue":0,"lookup":0,"connect":0,"tls":0,"send":0,"wait":0,"receive":0,"total":0}`

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
		"timings":{"queue":0.25,"lookup":0,"connect":0,"tls":0,"send":0,"wait":0,"receive":0,"total":0.0015}}`, asJSON(res, nil))
	require.Contains(t, asJSON(res, nil), `"http://h/a?<&>"`, "the characters themselves")
}

func TestAppendRecord(t *testing.T) {
	line := AppendRecord([]byte("before\n"), Record{V: 1})
	require.Equal(t, "before\n"+`{"v":1,"url":"","outcome":"","bytes":0,"attempts":0,"reused":false,`+noTime+"}\n", string(line))
}

func TestRecordOfAFailure(t *testing.T) {
	res := &fetch.Result{Request: fetch.Request{URL: "http://h/a"}, URL: "http://h/a", Name: "a"}
	err := &fetch.Error{URL: "http://h/a", Phase: fetch.PhaseDial, Attempt: 1, Err: syscall.ECONNREFUSED}
	require.JSONEq(t, `{"v":1,"url":"http://h/a","outcome":"failed","bytes":0,"attempts":0,"reused":false,`+noTime+`,
		"error":{"phase":"dial","kind":"refused","message":"connection refused"}}`, asJSON(res, err))
	require.JSONEq(t, `{"v":1,"url":"http://h/a","outcome":"failed","bytes":0,"attempts":0,"reused":false,`+noTime+`,
		"error":{"phase":"","kind":"other","message":"as it came"}}`, asJSON(res, errors.New("as it came")))
}
