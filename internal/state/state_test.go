package state

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func fileName(t testing.TB) string { return filepath.Join(t.TempDir(), "state") }

func open(t testing.TB, name string) *State {
	t.Helper()
	s, err := Open(name)
	require.NoError(t, err)
	return s
}

func put(t testing.TB, s *State, records ...Record) {
	t.Helper()
	for _, r := range records {
		require.NoError(t, s.Put(r))
	}
}

// requireRecord holds that a record is the one of its URL.
func requireRecord(t testing.TB, s *State, want Record) {
	t.Helper()
	got, ok, err := s.Get(want.URL)
	require.NoError(t, err)
	require.True(t, ok, want.URL)
	require.Equal(t, want, got)
}

func requireNone(t testing.TB, s *State, url string) {
	t.Helper()
	_, ok, err := s.Get(url)
	require.NoError(t, err)
	require.False(t, ok)
}

func requireOwner(t testing.TB, s *State, path, want string) {
	t.Helper()
	url, ok, err := s.Owner(path)
	require.NoError(t, err)
	require.Equal(t, want != "", ok, path)
	require.Equal(t, want, url)
}

var several = []Record{
	{URL: "http://a/herring.jpg", Path: "herring.jpg", Complete: true, Size: 70057, SHA256: sha256.Sum256([]byte("herring")), ETag: `"5-x"`, LastModified: "Sun, 06 Nov 1994 08:49:37 GMT"},
	{URL: "http://a/cod.jpg", Path: "cod.jpg", Size: 12},
	{URL: "http://a/gone", ETag: `W/"1"`},
	{URL: "http://a/all\t\\x41\\\n\r\x00\x7f\xff\xc3\xbc", Path: " -\\\t\n", Complete: true, ETag: "\"\t\"", LastModified: "\\"},
	{URL: "http://a/" + strings.Repeat("long", 20_000), Path: "long", Complete: true, Size: 1 << 62},
}

// TestRecordsSurvive reads every field again, in the run that put it and in the
// next.
func TestRecordsSurvive(t *testing.T) {
	name := fileName(t)
	s := open(t, name)
	put(t, s, several...)
	for range 2 {
		require.Equal(t, len(several), s.Len())
		for _, r := range several {
			requireRecord(t, s, r)
			if r.Path != "" {
				requireOwner(t, s, r.Path, r.URL)
			}
		}
		requireNone(t, s, "http://a/herring.jpg?")
		requireOwner(t, s, "", "")
		requireOwner(t, s, "herring", "")
		require.NoError(t, s.Close())
		s = open(t, name)
	}
	require.NoError(t, s.Close())
	info, err := os.Stat(name)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode())
}

// TestFormat pins what stands in the file, which other programs may read, and
// later versions must.
func TestFormat(t *testing.T) {
	name := fileName(t)
	s := open(t, name)
	put(t, s, Record{URL: "http://a/b", Path: "c d", Complete: true, Size: 3, SHA256: sha256.Sum256([]byte("abc")), ETag: `"e"`, LastModified: "now"}, Record{URL: "http://a/\t"})
	require.NoError(t, s.Close())
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, "shoal state 1\n"+
		"ef353d46\thttp://a/b\tc d\tcomplete\t3\tba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\t\"e\"\tnow\n"+
		"2c0e7506\thttp://a/\\x09\t\tpartial\t0\t-\t\t\n", string(text))
}

func TestLastRecordCounts(t *testing.T) {
	name := fileName(t)
	s := open(t, name)
	first := Record{URL: "http://a/1", Path: "1", Size: 1}
	second := Record{URL: "http://a/1", Path: "one", Complete: true, Size: 2}
	put(t, s, first, second)
	for range 2 {
		require.Equal(t, 1, s.Len())
		requireRecord(t, s, second)
		requireOwner(t, s, "one", "http://a/1")
		requireOwner(t, s, "1", "")
		require.NoError(t, s.Close())
		s = open(t, name)
	}
	require.NoError(t, s.Close())
}

// TestFileGivenToAnother: of a file that was overwritten for another URL, the
// first one's record says nothing any more.
func TestFileGivenToAnother(t *testing.T) {
	name := fileName(t)
	s := open(t, name)
	put(t, s,
		Record{URL: "http://a/1", Path: "same", Complete: true},
		Record{URL: "http://b/1", Path: "same", Complete: true, Size: 7})
	for range 2 {
		requireNone(t, s, "http://a/1")
		requireRecord(t, s, Record{URL: "http://b/1", Path: "same", Complete: true, Size: 7})
		requireOwner(t, s, "same", "http://b/1")
		require.NoError(t, s.Close())
		s = open(t, name)
	}
	put(t, s, Record{URL: "http://b/1", Path: "elsewhere"})
	requireNone(t, s, "http://a/1")
	requireOwner(t, s, "same", "")
	require.NoError(t, s.Close())
}

func TestSecondProcessIsKeptOut(t *testing.T) {
	name := fileName(t)
	s := open(t, name)
	put(t, s, several...)
	_, err := Open(name)
	require.ErrorIs(t, err, ErrLocked)
	require.NoError(t, s.Close())
	s = open(t, name)
	require.Equal(t, len(several), s.Len())
	require.NoError(t, s.Close())
}

// TestWhatIsNoStateFile is refused, and not touched.
func TestWhatIsNoStateFile(t *testing.T) {
	for text, want := range map[string]string{
		"my thesis":                        "does not begin with the line shoal state 1",
		"shoal stat\n":                     "does not begin with",
		"shoal state 2\n0\tx\n":            "a version that this shoal does not know",
		"\n":                               "does not begin with",
		strings.Repeat("x", 2*RecordBytes): "does not begin with",
	} {
		name := fileName(t)
		require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
		_, err := Open(name)
		require.ErrorContains(t, err, want)
		kept, err := os.ReadFile(name)
		require.NoError(t, err)
		require.Equal(t, text, string(kept))
	}
	_, err := Open(t.TempDir())
	require.Error(t, err)
	_, err = Open(os.DevNull)
	require.ErrorContains(t, err, "not a regular file")
}

// TestDamageCostsOneRecord: a line that does not check costs only its own
// record, wherever the damage is.
func TestDamageCostsOneRecord(t *testing.T) {
	name := fileName(t)
	records := []Record{{URL: "http://a/1", Path: "1"}, {URL: "http://a/2", Path: "2"}, {URL: "http://a/3", Path: "3"}}
	s := open(t, name)
	put(t, s, records...)
	require.NoError(t, s.Close())
	whole, err := os.ReadFile(name)
	require.NoError(t, err)
	lines := bytes.SplitAfter(whole, []byte("\n"))
	start := len(lines[0]) + len(lines[1])
	for at := start; at < start+len(lines[2])-1; at++ {
		text := bytes.Clone(whole)
		text[at] ^= 0x10
		require.NoError(t, os.WriteFile(name, text, 0o600))
		s := open(t, name)
		require.Equal(t, 1, s.Damaged(), "byte %d", at)
		requireRecord(t, s, records[0])
		requireNone(t, s, records[1].URL)
		requireRecord(t, s, records[2])
		require.NoError(t, s.Close())
	}
}

// TestOverlongLine: a line longer than any record is passed over as well.
func TestOverlongLine(t *testing.T) {
	name := fileName(t)
	s := open(t, name)
	put(t, s, several[0])
	require.NoError(t, s.append([]byte(strings.Repeat("x", 3*RecordBytes)+"\n")))
	put(t, s, several[1])
	require.NoError(t, s.Close())
	s = open(t, name)
	requireRecord(t, s, several[0])
	requireRecord(t, s, several[1])
	require.NoError(t, s.Close())
}

// TestEveryTruncation cuts a file after each of its bytes: what was whole
// before the cut is there, nothing else, and the file can be written on.
func TestEveryTruncation(t *testing.T) {
	name := fileName(t)
	s := open(t, name)
	records := several[:4]
	ends := make([]int64, len(records))
	for i, r := range records {
		put(t, s, r)
		ends[i] = s.end
	}
	require.NoError(t, s.Close())
	whole, err := os.ReadFile(name)
	require.NoError(t, err)
	for cut := range len(whole) + 1 {
		requireCut(t, name, whole[:cut], records, ends)
	}
}

func requireCut(t testing.TB, name string, text []byte, records []Record, ends []int64) {
	t.Helper()
	require.NoError(t, os.WriteFile(name, text, 0o600))
	more := Record{URL: "http://b/", Path: "after", Complete: true}
	s := open(t, name)
	put(t, s, more)
	for range 2 {
		for i, r := range records {
			if ends[i] <= int64(len(text)) {
				requireRecord(t, s, r)
			} else {
				requireNone(t, s, r.URL)
			}
		}
		requireRecord(t, s, more)
		require.Zero(t, s.Damaged())
		require.NoError(t, s.Close())
		s = open(t, name)
	}
	require.NoError(t, s.Close())
}

// TestWriteThatFailedHalfWay leaves something that the next record overwrites
// in part.
func TestWriteThatFailedHalfWay(t *testing.T) {
	name := fileName(t)
	s := open(t, name)
	put(t, s, several[0])
	_, err := s.file.WriteAt(bytes.Repeat([]byte("half a record "), 20), s.end)
	require.NoError(t, err)
	put(t, s, several[1])
	require.NoError(t, s.Close())
	s = open(t, name)
	requireRecord(t, s, several[0])
	requireRecord(t, s, several[1])
	require.Zero(t, s.Damaged())
	require.NoError(t, s.Close())
}

func TestErrorsOfTheFile(t *testing.T) {
	s := open(t, fileName(t))
	require.ErrorContains(t, s.Put(Record{URL: strings.Repeat("x", RecordBytes)}), "more than 262144")
	put(t, s, several[0])
	require.NoError(t, s.file.Close())
	require.ErrorContains(t, s.Put(several[1]), "writing the state file")
	_, _, err := s.Get(several[0].URL)
	require.ErrorContains(t, err, "reading the state file")
	require.Panics(t, func() { _ = s.Put(Record{}) })
}

// TestCompaction: superseded records go when they are the greater part; mode and
// link stay, and so does the lock.
func TestCompaction(t *testing.T) {
	dir := t.TempDir()
	name, link := filepath.Join(dir, "state"), filepath.Join(dir, "link")
	require.NoError(t, os.Symlink("state", link))
	s := open(t, link)
	require.NoError(t, os.Chmod(name, 0o640))
	for round := range 4 {
		for i := range 100 {
			put(t, s, Record{URL: fmt.Sprint("http://a/", i), Path: fmt.Sprint(i), Size: int64(round), Complete: true})
		}
	}
	put(t, s, Record{URL: "http://b/0", Path: "0"})
	require.NoError(t, s.Close())
	before, err := os.Stat(name)
	require.NoError(t, err)

	s = open(t, link)
	after, err := os.Lstat(name)
	require.NoError(t, err)
	require.Less(t, after.Size(), before.Size()/3)
	require.Equal(t, before.Mode(), after.Mode())
	_, err = Open(name)
	require.ErrorIs(t, err, ErrLocked)
	names, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, names, 2)
	put(t, s, several[0])
	for range 2 {
		require.Equal(t, 101, s.Len())
		requireNone(t, s, "http://a/0")
		requireOwner(t, s, "0", "http://b/0")
		for i := 1; i < 100; i++ {
			requireRecord(t, s, Record{URL: fmt.Sprint("http://a/", i), Path: fmt.Sprint(i), Size: 3, Complete: true})
		}
		requireRecord(t, s, several[0])
		require.NoError(t, s.Close())
		s = open(t, link)
	}
	require.NoError(t, s.Close())
}

// TestReplacedWhileItWaited: a run that opened the file just before another one
// compacted it finds that the name is now another file's.
func TestReplacedWhileItWaited(t *testing.T) {
	name := fileName(t)
	stale, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	require.NoError(t, err)
	defer stale.Close()
	same, err := isNamed(stale, name)
	require.NoError(t, err)
	require.True(t, same)
	require.NoError(t, os.WriteFile(name+".new", nil, 0o600))
	require.NoError(t, os.Rename(name+".new", name))
	same, err = isNamed(stale, name)
	require.NoError(t, err)
	require.False(t, same)
	require.NoError(t, os.Remove(name))
	same, err = isNamed(stale, name)
	require.NoError(t, err)
	require.False(t, same)
}

func TestPutAllocatesNothing(t *testing.T) {
	s := open(t, fileName(t))
	put(t, s, several[0])
	r := several[0]
	require.Zero(t, testing.AllocsPerRun(100, func() { require.NoError(t, s.Put(r)) }))
	require.NoError(t, s.Close())
}
