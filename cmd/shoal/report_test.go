package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/internal/porttest"
	"github.com/shoalfetch/shoal/internal/view"
)

// records are the lines of --json, by the line of the input.
func records(t *testing.T, text string) map[int]view.Record {
	t.Helper()
	all := map[int]view.Record{}
	for _, line := range lines(text) {
		var r view.Record
		decoder := json.NewDecoder(strings.NewReader(line))
		decoder.DisallowUnknownFields()
		require.NoError(t, decoder.Decode(&r), line)
		_, twice := all[r.Line]
		require.False(t, twice, "two records for line %d", r.Line)
		all[r.Line] = r
	}
	return all
}

func TestRecords(t *testing.T) {
	s, dir, dead := site(t), t.TempDir(), porttest.Closed(t)
	got := shoal(t, "--json", "-d", dir, "-i", listFile(t,
		s.URL+"/plain/a.jpg", s.URL+"/chunked/b.jpg", s.URL+"/close/c.jpg", s.URL+"/moved/d.jpg",
		s.URL+"/none/e.jpg", s.URL+"/cut/f.jpg", "http://"+dead+"/g.jpg", "ftp://h/h.jpg"))
	require.Equal(t, exitFailed, got.status)
	all := records(t, got.stdout)
	require.Len(t, all, 8)
	for line, r := range all {
		require.Equal(t, 1, r.V)
		if line < 7 {
			require.Equal(t, host(s.URL), r.Remote)
			require.Positive(t, r.Timings.Total)
		}
	}
	type row struct {
		outcome, path, kind, end string
		status                   int
		bytes                    int64
	}
	want := map[int]row{
		1: {"saved", "a.jpg", "image/jpeg", "length", 200, 9},
		2: {"saved", "b.jpg", "text/plain; charset=utf-8", "chunked", 200, 9},
		3: {"saved", "c.jpg", "", "close", 200, 9},
		4: {"saved", "d.jpg", "image/jpeg", "length", 200, 9},
		5: {"failed", "", "text/plain; charset=utf-8", "length", 404, 0},
		6: {"failed", "", "", "length", 200, 4},
		7: {"failed", "", "", "", 0, 0},
		8: {"failed", "", "", "", 0, 0},
	}
	for line, w := range want {
		r := all[line]
		if w.path != "" {
			w.path = filepath.Join(dir, w.path)
		}
		require.Equal(t, w, row{r.Outcome, r.Path, r.ContentType, r.End, r.Status, r.Bytes}, "line %d", line)
	}
	require.Equal(t, s.URL+"/plain/d.jpg", all[4].FinalURL)
	require.Empty(t, all[1].FinalURL)
	require.Equal(t, 1, all[1].Attempts)
	require.Equal(t, 2, all[4].Attempts, "a redirect is a second request")
	for line, phase := range map[int]string{5: "status", 6: "receive", 7: "dial", 8: "request"} {
		require.NotNil(t, all[line].Error, "line %d", line)
		require.Equal(t, phase, all[line].Error.Phase)
		require.NotEmpty(t, all[line].Error.Message)
	}
	require.Equal(t, "404 Not Found", all[5].Error.Message)
	require.Contains(t, all[7].Error.Message, "connection refused")
	require.Equal(t, []string{"a.jpg", "b.jpg", "c.jpg", "d.jpg"}, names(t, dir))
}

func TestRecordOfAFileThatIsThere(t *testing.T) {
	s, dir := site(t), t.TempDir()
	require.Equal(t, exitOK, shoal(t, "-d", dir, s.URL+"/plain/a.jpg").status)
	got := shoal(t, "--json", "-d", dir, s.URL+"/plain/a.jpg")
	require.Equal(t, exitOK, got.status)
	r := records(t, got.stdout)[1]
	require.Equal(t, "skipped", r.Outcome)
	require.Equal(t, filepath.Join(dir, "a.jpg"), r.Path)
	require.Zero(t, r.Attempts)
	require.Zero(t, r.Bytes)
	require.Nil(t, r.Error)
}

func TestRecordOfReuse(t *testing.T) {
	s := site(t)
	got := shoal(t, "--json", "--max-per-host", "1", "-d", t.TempDir(), s.URL+"/plain/a.jpg", s.URL+"/plain/b.jpg")
	all := records(t, got.stdout)
	require.False(t, all[1].Reused)
	require.True(t, all[2].Reused)
	require.Zero(t, all[2].Timings.Connect)
}

// writes keeps each Write apart, and fails after so many.
type writes struct {
	each  []string
	limit int
}

var errNoRoom = errors.New("no room for more")

func (w *writes) Write(p []byte) (int, error) {
	if w.limit > 0 && len(w.each) == w.limit {
		return 0, errNoRoom
	}
	w.each = append(w.each, string(p))
	return len(p), nil
}

// TestRecordIsOneWrite: whoever shares the pipe or reads it sees whole lines.
func TestRecordIsOneWrite(t *testing.T) {
	s, out := site(t), new(writes)
	var urls []string
	for i := range 30 {
		urls = append(urls, fmt.Sprintf("%s/plain/%d", s.URL, i))
	}
	args := append(urls, "--json", "-d", t.TempDir())
	require.Equal(t, exitOK, runToo(args, strings.NewReader(""), out, io.Discard))
	require.Len(t, out.each, 30)
	for _, w := range out.each {
		require.Equal(t, 1, strings.Count(w, "\n"))
		require.True(t, strings.HasSuffix(w, "\n"))
		require.True(t, json.Valid([]byte(w)))
	}
}

// TestRecordsThatCannotBeWritten: a run whose results go nowhere ends and says
// why.
func TestRecordsThatCannotBeWritten(t *testing.T) {
	s, dir := site(t), t.TempDir()
	var stderr strings.Builder
	args := []string{"--json", "--max-per-host", "1", "-d", dir, s.URL + "/plain/a", s.URL + "/plain/b", s.URL + "/plain/c"}
	require.NotEqual(t, exitOK, runToo(args, strings.NewReader(""), &writes{limit: 1}, &stderr))
	require.Contains(t, stderr.String(), "standard output")
	require.Contains(t, stderr.String(), errNoRoom.Error())
	for _, name := range names(t, dir) {
		require.NotContains(t, name, ".shoal-", "a temporary file was left")
	}
}

func TestSilent(t *testing.T) {
	s := site(t)
	got := shoal(t, "-s", "-d", t.TempDir(), s.URL+"/plain/a", s.URL+"/none/b", "http://"+porttest.Closed(t)+"/c")
	require.Equal(t, said{status: exitFailed}, got)
	got = shoal(t, "-s", "-i", "missing")
	require.Equal(t, exitUsage, got.status)
	require.Contains(t, got.stderr, "missing", "-s hides what is fatal")
}

func TestFailuresAreLines(t *testing.T) {
	s := site(t)
	got := shoal(t, "-d", t.TempDir(), s.URL+"/none/a")
	require.Equal(t, exitFailed, got.status)
	require.Equal(t, "shoal: "+s.URL+"/none/a: status: 404 Not Found\n", got.stderr)

	list := listFile(t, "# a comment", s.URL+"/none/a")
	got = shoal(t, "-d", t.TempDir(), "-i", list)
	require.Equal(t, "shoal: "+list+":2: "+s.URL+"/none/a: status: 404 Not Found\n", got.stderr)
}

// TestFailuresAreHarmless: what an input or a server sends must not reach the
// terminal as anything but text on one line.
func TestFailuresAreHarmless(t *testing.T) {
	s := site(t)
	got := shoal(t, "-d", t.TempDir(), s.URL+"/\x1b]0;owned\x07", s.URL+"/\u202egpj", s.URL+"/a\xff\x9b31m", "http://a\nb/")
	require.Equal(t, exitFailed, got.status)
	all := lines(got.stderr)
	require.Len(t, all, 5, "four failures and the summary")
	for _, line := range all {
		require.Regexp(t, `^shoal: [ -~]*$`, line)
	}
	require.Contains(t, got.stderr, `\u001b]0;owned\u0007`)
}

// TestManyFailures: after twenty they are only counted, and broken down.
func TestManyFailures(t *testing.T) {
	dead := porttest.Closed(t)
	var urls []string
	for i := range 27 {
		urls = append(urls, fmt.Sprintf("http://%s/%d", dead, i))
	}
	got := shoal(t, append(urls, "--no-host-down", "-d", t.TempDir())...)
	require.Equal(t, exitFailed, got.status)
	all := lines(got.stderr)
	require.Len(t, all, 24)
	for _, line := range all[:20] {
		require.Contains(t, line, "refused")
	}
	require.Equal(t, "shoal: and 7 more failures", all[20])
	require.Contains(t, all[21], "cause")
	require.Regexp(t, `^ +27 +dial +refused +http://`, all[22])
	require.Contains(t, all[23], "0 fetched, 27 failed")
}

// TestAllAddressesFail: a name with several addresses fails in one line that a
// person can read.
func TestAllAddressesFail(t *testing.T) {
	_, port, _ := strings.Cut(porttest.Closed(t), ":")
	got := shoal(t, "-d", t.TempDir(), "http://localhost:"+port+"/a")
	require.Equal(t, exitFailed, got.status)
	require.Len(t, lines(got.stderr), 1)
	require.Contains(t, got.stderr, "refused")
	require.NotContains(t, got.stderr, `\u000a`)
}

// TestStats holds the ledger to what ten fetches over one connection must cost.
func TestStats(t *testing.T) {
	s := site(t)
	var urls []string
	for i := range 10 {
		urls = append(urls, fmt.Sprintf("%s/plain/%d", s.URL, i))
	}
	got := shoal(t, append(urls, "--stats", "--max-per-host", "1", "-d", t.TempDir())...)
	require.Equal(t, exitOK, got.status)
	require.Empty(t, got.stdout)
	calls := map[string]string{}
	row := regexp.MustCompile(`(?m)^(\w+) +(\d+) +(\d+\.\d\d)`)
	for _, m := range row.FindAllStringSubmatch(got.stderr, -1) {
		calls[m[1]] = m[2] + " " + m[3]
	}
	for call, want := range map[string]string{
		"socket": "1 0.10", "connect": "1 0.10",
		"send": "10 1.00", "recv": "10 1.00",
		"create": "10 1.00", "write": "10 1.00", "rename": "10 1.00", "closefile": "10 1.00",
	} {
		require.Equal(t, want, calls[call], "%s in\n%s", call, got.stderr)
	}
	require.Contains(t, got.stderr, " 50 written,")
	for _, line := range lines(got.stderr) {
		require.Equal(t, strings.TrimRight(line, " "), line)
	}
}
