package main

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/shoalfetch/shoal/internal/view"
)

// grace is what fetches under way get when a signal ends the run.
const grace = 5 * time.Second

// endSignals end a run. One that the parent has set to be ignored, as nohup(1)
// does, stays ignored.
var endSignals = []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP}

// attendant does what must be done beside the loop: it draws the progress and
// acts on signals. It reads what others have counted, and never waits for them.
type attendant struct {
	*runner
	began  time.Time
	hinted bool
	rested bool // that a host rests has been told
	asked  bool // to end
}

// attend starts an attendant; leave waits for its end.
func (r *runner) attend(began time.Time) (leave func()) {
	a := &attendant{runner: r, began: began}
	every := time.Second
	if r.style() == view.StyleLine {
		every = 100 * time.Millisecond
	}
	ticker := time.NewTicker(every)
	signals := make(chan os.Signal, 16)
	listen(signals)
	enough, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		for {
			select {
			case now := <-ticker.C:
				a.tick(now)
			case s := <-signals:
				a.act(s.(syscall.Signal))
			case <-enough:
				return
			}
		}
	}()
	return func() {
		close(enough)
		<-gone
		ticker.Stop()
		signal.Stop(signals)
	}
}

// listen asks for the signals. That of a broken pipe is among them because a
// write then returns with an error, and the run can tidy up first.
func listen(signals chan<- os.Signal) {
	signal.Notify(signals, syscall.SIGPIPE)
	for _, s := range append(statusSignals, endSignals...) {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
}

func (a *attendant) tick(now time.Time) {
	a.screen.Draw(now)
	a.hint(now)
	a.tellOfRests()
}

// tellOfRests says once why a run may stand still.
func (a *attendant) tellOfRests() {
	if !a.rested && a.fetcher.Snapshot().Rests > 0 {
		a.rested = true
		a.say("a host cannot be looked up or connected to, and is left alone for a minute (--no-host-down goes on at once)")
	}
}

// hintAfter is how long a run must have gone on for its speed to matter.
const hintAfter = 5 * time.Second

// hint says once what holds a run back, if that is its default.
func (a *attendant) hint(now time.Time) {
	if a.hinted || now.Sub(a.began) < hintAfter || a.perHost != defaultPerHost || a.manners.starts() {
		return
	}
	s := a.fetcher.Snapshot()
	if s.Queued > 0 && s.Conns < int64(a.conns) && s.Conns > 0 {
		a.hinted = true
		a.say("%d connections to one host are all it gets; --max-per-host N makes it more", a.perHost)
	}
}

// act acts on one signal.
func (a *attendant) act(s syscall.Signal) {
	switch {
	case s == syscall.SIGPIPE:
	case isStatus(s):
		now := time.Now()
		_, _ = a.screen.Write([]byte("shoal: " + a.screen.Status(now) + "\n"))
	case a.asked:
		a.screen.Done()
		os.Exit(exitSignal + int(s))
	default:
		a.asked = true
		a.stop(exitSignal+int(s), "%s", s)
		running := a.fetcher.Snapshot()
		if n := running.Admitted - running.Yielded - running.Queued; n > 0 {
			a.say("%s: %d under way have %v to end; a second signal ends them at once", s, n, grace)
		}
		time.AfterFunc(grace, func() { a.cancel(errInterrupted) })
	}
}

func isStatus(s syscall.Signal) bool {
	for _, status := range statusSignals {
		if s == status {
			return true
		}
	}
	return false
}

// moment is where the run stands.
func (r *runner) moment() view.Moment {
	return view.Moment{Snapshot: r.fetcher.Snapshot(), Tally: &r.tally, Total: len(r.urls), Read: r.intake.share()}
}

// style is how progress is shown. Nothing is drawn among lines that others
// write to the same terminal.
func (r *runner) style() view.Style {
	toTerminal := isTerminal(r.stdout) && (r.json == standard || r.output == standard || r.ask.heads)
	switch {
	case r.silent:
		return view.StyleNone
	case r.progress.set:
		return r.progress.style
	case r.verbose || toTerminal:
		return view.StyleNone
	}
	return view.StyleFor(r.stderr)
}
