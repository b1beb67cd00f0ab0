package fetch

import "github.com/shoalfetch/shoal/internal/kernel"

// Sink is where bodies go. Its methods, and those of the bodies it opens, are
// called on the loop: they must not block, and what they do not return they
// must not keep.
type Sink interface {
	// Open is called when a response's head has been accepted. An error fails
	// the fetch in phase save, or if [Refused] made it, in phase status.
	Open(info OpenInfo) (Body, error)
}

// Body takes one response's body. It ends with a Commit that succeeds, or with
// Discard.
type Body interface {
	// Write takes the whole of a piece, or fails and ends the fetch. The piece
	// is only borrowed until Write returns.
	//
	// Two errors do not end the fetch, and the piece counts as taken with
	// them. [ErrPause]: no more is received until OpenInfo.Resume is called. One
	// made by [Shortage]: the loop waits a little and then offers an empty piece,
	// so that Write may try again.
	Write(piece []byte) error

	// Commit makes the body final: all of it has been written. An error fails
	// the fetch in phase save, and Discard follows; but after [ErrPause] Commit
	// is called again when OpenInfo.Resume was, and after one made by [Shortage]
	// a little later.
	Commit() error

	// Discard drops what was written: the fetch has failed or was cancelled, be
	// it during a pause.
	Discard()
}

// Keeper is a Body that can wait for the rest of a response which broke off.
type Keeper interface {
	Body

	// Keep lets go of what the body holds open. Then a Write follows, to go on
	// behind what has been written, or Discard. An error is as if it could not
	// wait.
	Keep() error
}

// OpenInfo tells a Sink what it is opening. It may be kept.
type OpenInfo struct {
	Request Request
	Head    Head
	Name    string // what Reserve returned, if the Sink has it
	Length  int64  // declared length in bytes, or -1; -1 too if the body is decoded
	Decoded bool   // the body comes without the codings that Content-Encoding names
	Attempt int    // 1 for the first
	URL     string // from where it comes, after redirects

	Resumer

	conn *conn // while Open runs
}

// Resumer is what a body that asks for pauses keeps of its [OpenInfo].
type Resumer struct {
	mail *mailbox
	job  token
}

// Resume lets a paused body go on. It is safe from any goroutine, at any time,
// and does nothing for a fetch that is not paused or has ended.
func (r Resumer) Resume() { r.mail.resume(r.job) }

// Reserver is a Sink that wants to see every request as it is admitted: in the
// order of the input, before anything is asked of the network. That is the
// place to give out names, since completion order is chance.
type Reserver interface {
	// Reserve returns the name that Open and the Result will carry. [ErrSkip]
	// ends the fetch as Skipped; any other error fails it in phase save.
	Reserve(r *Request) (name string, err error)
}

// attacher is a Sink that makes its file calls through the loop's own kernel:
// then they are counted with the rest, faults can be injected into them, and
// the simulator can play the disk.
type attacher interface {
	// Attach is called by New. What is given to beside is carried out on a
	// worker, and done is called on the loop afterwards.
	Attach(k kernel.Kernel, beside func(work, done func())) error

	// Detach is called by Close. The workers are gone by then: work has been
	// carried out or never will be, and no done is called any more.
	Detach()
}

// splicer is a Body that can take bytes straight from a socket. It says ENOTSUP
// when it cannot, and then has taken none.
type splicer interface {
	Splice(socket, max int) (n int, err error)
}

// memory is the Body used when Options.Sink is nil. The size cap of the fetch
// is what bounds it.
type memory struct{ bytes []byte }

// memoryAhead is how much of a declared length is believed before it has come.
const memoryAhead = 1 << 20

func newMemory(length int64) *memory {
	m := new(memory)
	if length > 0 {
		m.bytes = make([]byte, 0, min(length, memoryAhead))
	}
	return m
}

func (m *memory) Write(piece []byte) error {
	m.bytes = append(m.bytes, piece...)
	return nil
}

func (m *memory) Keep() error   { return nil }
func (m *memory) Commit() error { return nil }
func (m *memory) Discard()      { m.bytes = nil }
