// Package poller tells which file descriptors are ready, and does nothing else.
//
// It is a thin, honest layer over the kernel's readiness facility: epoll(7) on
// Linux, kqueue(2) on macOS and the BSDs. It knows descriptors, tokens,
// interest and time; it knows nothing of connections, callbacks, buffers or
// protocols. Seven operations make it up: [New], [Poller.Add],
// [Poller.Modify], [Poller.Remove], [Poller.Wait], [Poller.Wake] and
// [Poller.Close]. [Poller.Hold] makes waits cheaper for a program that has
// processors to spare.
//
// # Contract
//
// Every backend keeps these promises, and promises nothing more:
//
//  1. Readiness is level-triggered, and an [Event] means "try now". It is a
//     hint: the system call that follows may still say EAGAIN.
//  2. There is no error flag. The kernel's hang-up and error conditions are
//     reported as readable and writable at once; the next system call on the
//     descriptor tells the truth.
//  3. Interest is never empty: epoll reports a hang-up even for an empty mask,
//     which would be a busy loop. Pausing is Remove and resuming is Add; level
//     triggering then reports what waits.
//  4. A token is the caller's. It comes back as it was given; the poller reads
//     no meaning into it (but see [Reserved]).
//  5. One batch may name a token twice (kqueue reports each direction by
//     itself), and may name descriptors that the caller closes while it works
//     through the batch. Callers put a generation into their tokens.
//  6. The poller never closes a caller's descriptor. Remove it before close(2),
//     always: on BSD that keeps the side table and any queued change in step
//     with the kernel.
//  7. Timeouts round up, so that a deadline has passed when Wait returns for
//     it. A negative timeout waits for ever. An interrupted wait (EINTR) is a
//     batch of no events.
//  8. Wake is the one method that other goroutines may call, and wake-ups
//     coalesce. Everything else belongs to one goroutine.
package poller

import "math"

// Interest says which directions of a descriptor to report. It is a set: at
// least one of [Readable] and [Writable].
type Interest uint8

// The two directions.
const (
	Readable Interest = 1 << iota
	Writable
)

// Token identifies a descriptor to its owner. All 64 bits are the caller's.
type Token uint64

// Reserved is the one token that Add and Modify refuse (they panic): it marks
// the poller's own wake-up descriptor.
const Reserved Token = math.MaxUint64

// Event says that a descriptor may be ready. At least one direction is set.
type Event struct {
	Token    Token
	Readable bool
	Writable bool
}

// mustBeSet panics on an empty or unknown interest and on the reserved token:
// both are mistakes in the program, not conditions of the system.
func mustBeSet(token Token, interest Interest) {
	if interest == 0 || interest&^(Readable|Writable) != 0 {
		panic("poller: interest must be Readable, Writable or both; to pause, use Remove")
	}
	if token == Reserved {
		panic("poller: the token Reserved belongs to the poller")
	}
}
