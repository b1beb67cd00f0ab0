// Package coro runs library code that reads from an [io.Reader] on the thread
// of an event loop: a TLS handshake, a decoder, an image's head. Such code
// cannot be told to come back later. So it runs in a coroutine, which hands the
// thread back when the bytes run out and goes on where it was when there are
// more. That is a direct switch of stacks (package iter), about 60 ns there and
// back: nothing is scheduled, and no other thread takes part.
//
// There are three things, each made of the one before:
//
//   - a [Coro] is a function that can pause;
//   - a [Source] is an io.Reader over bytes that are fed, which pauses the
//     function that reads it when it has none;
//   - a [Stream] is fed bytes on one side and asked for what an io.Reader of a
//     library makes of them on the other.
//
// Each must be stopped, whatever happened: a paused coroutine that nobody
// resumes is never collected.
//
// A coroutine belongs to the thread state of the goroutine that made it:
// whoever locks that goroutine to its thread does so before (runtime/coro.go
// ends the program otherwise). No code of the loop's users runs in one, because
// a coroutine cannot stop itself.
package coro

import "iter"

// Coro is a function that can pause. It is used by one goroutine.
type Coro struct {
	next   func() (struct{}, bool)
	stop   func()
	yield  func(struct{}) bool
	inside bool
}

// Start makes a coroutine of f, which begins with the first Resume. It must be
// stopped, even if it is never resumed.
func Start(f func(*Coro)) *Coro {
	c := new(Coro)
	c.next, c.stop = iter.Pull(func(yield func(struct{}) bool) {
		c.yield = yield
		f(c)
	})
	return c
}

// Resume runs the function until it pauses or returns, and reports whether it
// still goes on. A panic in the function comes out here, and Goexit too.
func (c *Coro) Resume() (more bool) {
	c.enter()
	defer c.leave()
	_, more = c.next()
	return more
}

// Pause hands the thread back to whoever called Resume, until the next Resume.
// False means that the coroutine is being stopped: the function must return
// without pausing again. Only the function may call it.
func (c *Coro) Pause() bool {
	if !c.inside {
		panic("coro: Pause outside the coroutine")
	}
	return c.yield(struct{}{})
}

// Stop ends the coroutine: a function that pauses sees Pause return false, and
// one that never began does not begin. It may be called again, and after the
// function has returned. A panic of the function while it ends comes out here.
func (c *Coro) Stop() {
	c.enter()
	defer c.leave()
	c.stop()
}

func (c *Coro) enter() {
	if c.inside {
		panic("coro: Resume or Stop inside the coroutine")
	}
	c.inside = true
}

func (c *Coro) leave() { c.inside = false }
