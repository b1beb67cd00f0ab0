package main

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/view"
)

// failuresShown is how many failures are told of one by one.
const failuresShown = 20

// say prints one line of the command's own on standard error.
func (r *runner) say(format string, args ...any) {
	if !r.silent {
		fmt.Fprintf(r.screen, "shoal: %s\n", view.Plain(fmt.Sprintf(format, args...)))
	}
}

// take tells of one result everywhere it belongs.
func (r *runner) take(res *fetch.Result, err error) {
	if r.explain != nil {
		r.explain.Result(res, err)
	}
	if p := r.intake.polite; p != nil {
		defer p.returned()
		if p.detour(res, err) {
			r.judgeNetwork(res, err)
			return
		}
	}
	if err != nil && !isLeft(err) {
		r.last = err
	}
	if v := visitOf(res); v != nil {
		r.intake.polite.learn(v, res, err, r.refuse)
		r.judgeNetwork(res, err)
		return
	}
	stuck, is := errors.AsType[*fetch.StuckError](err)
	switch {
	case is:
		r.tellStuck(stuck)
		r.leave(res.Request, res.Name)
	case isLeft(err):
		r.leave(res.Request, res.Name)
	case r.output == standard && errors.Is(err, syscall.EPIPE) && !isNetwork(err):
		r.brokenPipe()
	default:
		r.count(res, err, r.verbose)
	}
}

// tellStuck shows the state in which the engine found itself stuck: once, and
// whatever else is silent, since it is a mistake to be reported.
func (r *runner) tellStuck(stuck *fetch.StuckError) {
	if r.reason() == nil {
		for line := range strings.Lines(stuck.Error()) {
			fmt.Fprintf(r.screen, "shoal: %s\n", view.Plain(strings.TrimSuffix(line, "\n")))
		}
	}
	r.stop(exitStopped, "the engine is stuck; run the same command again to go on")
}

// reject tells of a line that is no URL, as of a fetch that failed.
func (r *runner) reject(request fetch.Request, reason error) {
	res := &fetch.Result{Request: request, URL: fetch.WithoutUserinfo(request.URL)}
	r.count(res, &fetch.Error{URL: res.URL, Phase: fetch.PhaseRequest, Attempt: 1, Err: reason}, false)
}

// visitOf is the robots.txt that a result is of; nil when it is a line's.
func visitOf(res *fetch.Result) *visit {
	if p := placeOf(res); p != nil {
		return p.visit
	}
	return nil
}

// refuse tells of a line that its site does not want to be fetched.
func (r *runner) refuse(request fetch.Request, why error) {
	res := &fetch.Result{Request: request, URL: fetch.WithoutUserinfo(request.URL)}
	if p := placeOf(res); p.name != nil {
		res.Name = p.name.name
	}
	r.count(res, &fetch.Error{URL: res.URL, Phase: fetch.PhaseQueue, Attempt: 1, Err: why}, false)
}

func (r *runner) count(res *fetch.Result, err error, told bool) {
	r.tally.Add(res, err)
	r.causes.Add(res, err)
	if !told {
		r.tellFailure(res, err)
	}
	r.archive.keep(res)
	r.record(res, err)
	r.printHead(res)
	if err != nil {
		r.noteFailure(res, err)
	}
	r.judge(res, err)
}

// tellFailure prints one line for a fetch that failed, the first few times.
func (r *runner) tellFailure(res *fetch.Result, err error) {
	if err == nil || !r.verbose && r.tally.Failed() > failuresShown {
		return
	}
	r.say("%s%s", placeOf(res).prefix(), err)
}

// placeOf is where a result's URL stood.
func placeOf(res *fetch.Result) *place {
	p, _ := res.Request.Tag.(*place)
	return p
}

// prefix begins a message about a line of a list.
func (p *place) prefix() string {
	if p == nil || p.list == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d: ", p.list, p.line)
}

// record prints one result as JSON: one write a line, so that a reader of the
// pipe sees whole lines.
func (r *runner) record(res *fetch.Result, err error) {
	if r.records == nil {
		return
	}
	record := view.RecordOf(res, err, r.path)
	record.Line = int(placeOf(res).line)
	r.line = view.AppendRecord(r.line[:0], record)
	if _, err := r.records.Write(r.line); err != nil {
		r.records = nil
		r.lostReport(err, r.json)
	}
}

// isNetwork says whether it was the connection that broke.
func isNetwork(err error) bool {
	var e *fetch.Error
	return errors.As(err, &e) && e.Phase != fetch.PhaseSave
}

// summarize prints what a run has come to, when it was more than one URL.
func (r *runner) summarize(took time.Duration) {
	if why := r.reason(); why != nil && why.reason == "" {
		return // nobody wants to know
	}
	if more := r.tally.Failed() - failuresShown; more > 0 {
		if !r.verbose {
			r.say("and %d more failures", more)
		}
		r.print(r.causes.String())
	}
	if r.tally.Total()+r.undone > 1 {
		r.say("%s", r.tally.Summary(took))
	}
	fmt.Fprint(r.screen, r.report(r.tally.Total()))
}

// print prints a text of several lines.
func (r *runner) print(text string) {
	if !r.silent {
		fmt.Fprint(r.screen, text)
	}
}

// target is where bodies are saved, for messages.
func (r *runner) target() string {
	switch r.output {
	case "":
		return r.dir
	case standard:
		return "standard output"
	}
	return r.output
}
