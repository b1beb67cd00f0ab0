package lab

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// Kind is what an [Entry] tells of.
type Kind int

// The kinds of entries, in the order of a connection's life.
const (
	Accepted  Kind = iota // a client connected
	Agreed                // on TLS; Text tells how it is spoken
	Requested             // a request came; Text is its first line
	Sent                  // bytes went out: a whole answer, or with Book one send
	Blocked               // the send buffer is full, since the client does not read
	Released              // there is room again
	Closed                // the connection ended; Text says by whom
)

// Entry is one thing that happened to one connection.
type Entry struct {
	At    time.Duration // on Options.Clock, since Listen
	Conn  int           // which connection, counted from 1
	Kind  Kind
	Bytes int64  // Sent: by this entry; Blocked: that wait; Closed: sent in all
	Text  string // for people; without line ends or other control characters
}

// String is the entry as one line, without its end.
func (e Entry) String() string {
	return fmt.Sprintf("%10.3f ms  #%-4d %s", float64(e.At)/float64(time.Millisecond), e.Conn, e.Text)
}

// LogTo is a log for [Options.Log] that writes a line for each entry. What
// cannot be written is lost.
func LogTo(w io.Writer) func(Entry) {
	return func(e Entry) { fmt.Fprintln(w, e) }
}

// journal hands entries out one at a time.
type journal struct {
	mu    sync.Mutex
	write func(Entry)
	clock func() time.Duration
	began time.Duration
}

func newJournal(o Options) *journal {
	j := &journal{write: o.Log, clock: o.Clock}
	if j.clock == nil {
		j.clock = func() time.Duration { return 0 }
	}
	return j
}

func (j *journal) begin() { j.began = j.clock() }

func (j *journal) add(conn int, kind Kind, bytes int64, format string, args ...any) {
	if j.write == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.write(Entry{At: j.clock() - j.began, Conn: conn, Kind: kind, Bytes: bytes, Text: fmt.Sprintf(format, args...)})
}
