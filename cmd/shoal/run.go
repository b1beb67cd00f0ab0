package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/fetch/save"
	"github.com/shoalfetch/shoal/internal/view"
)

// version is what --version prints and requests carry.
const version = "0.1.0"

// run is the whole command: arguments in, exit status out.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	r := &runner{stdin: stdin, stdout: stdout, stderr: stderr}
	c := command(&r.settings, func() error {
		if r.textbook.wanted() {
			return r.textbook.run(&r.settings, stdout, stderr)
		}
		return r.fetchAll()
	})
	c.AddCommand(labCommand(stdout, stderr), demoCommand(stdout, stderr), docsCommand(c))
	c.SetArgs(args)
	c.SetOut(stdout)
	c.SetErr(stderr)
	err := c.ExecuteContext(context.Background())
	status := statusOf(err)
	if status != exitOK && err != errFailed && err.Error() != "" {
		fmt.Fprintf(stderr, "shoal: %s\n", view.Plain(err.Error()))
	}
	if status == exitUsage && isUsage(err) {
		fmt.Fprintln(stderr, "Try shoal --help.")
	}
	return status
}

// runner is one run of the command.
type runner struct {
	settings
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer

	archive  *archive     // nil: no --state
	folder   *save.Folder // nil: bodies go elsewhere
	fetcher  fetcher
	intake   *intake
	tally    view.Tally
	causes   view.Breakdown
	explain  *view.Explain // nil: nobody asked, or each of several loops has its own
	screen   *view.Progress
	records  io.Writer // nil: no --json
	line     []byte    // of records
	failures io.Writer // nil: no --failed
	left     io.Writer // nil: no --rest
	last     error     // of the last fetch that failed
	undone   int       // neither succeeded nor failed, because the run ended
	instruments
	stopper
	credentials
}

// fetchAll fetches what the settings name and tells what became of it.
func (r *runner) fetchAll() error {
	feeds, err := r.openFeeds()
	if err != nil {
		return err
	}
	defer closeFeeds(feeds)
	form, err := r.newForm(r.stdin)
	if err != nil {
		return err
	}
	r.intake = &intake{feeds: feeds, form: form, reject: r.reject, skip: r.skip, refuse: r.refuse, network: new(network), strict: r.strict}
	r.screen = view.NewProgress(r.stderr, r.style(), r.moment)
	if err := r.openCredentials(os.Getenv); err != nil {
		return err
	}
	defer r.openKeyLog(os.Getenv)()
	if err := r.openArchive(); err != nil {
		return err
	}
	defer r.closeArchive()
	r.intake.archive = r.archive
	if r.polite {
		r.intake.polite = newPolite(r.agent, r.reserve)
	}
	if r.fetcher, err = r.newFetcher(); err != nil {
		return err
	}
	defer r.fetcher.Close()
	if r.fault.wanted() {
		r.say("%s", r.fault.told())
	}
	files, err := r.openReports()
	defer func() {
		for _, f := range files {
			_ = f.Close()
		}
	}()
	if err != nil {
		return err
	}
	err = r.loop()
	if lost := cmp.Or(r.writeCookies(), r.closeArchive()); lost != nil {
		return lost
	}
	return err
}

// loop is the run itself.
func (r *runner) loop() error {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	r.admitNone = func() {
		r.intake.close()
		r.fetcher.Stop()
	}
	r.cancel = cancel
	r.warnOfTrust()
	began := time.Now()
	leave := r.attend(began)
	for res, err := range r.fetcher.FetchFrom(ctx, r.source()) {
		r.take(res, err)
	}
	took := time.Since(began)
	if r.reason() == nil && (!r.intake.ended || r.undone > 0) {
		r.stop(exitStopped, "the engine gave up: %v", r.last)
	}
	if r.reason() != nil {
		r.countUndone()
	}
	leave()
	r.screen.Done()
	r.summarize(took)
	return r.verdict()
}

// source is the intake, as the views see it.
func (r *runner) source() fetch.Source {
	if r.explain != nil {
		return r.explain.Source(r.intake)
	}
	return r.intake
}

// verdict is how the run ended, as an error.
func (r *runner) verdict() error {
	why := r.reason()
	switch {
	case why != nil && why.status == exitFailed && (r.undone == 0 || r.silent):
		return errFailed // nothing is left to tell
	case why != nil:
		return r.withAdvice(why)
	case r.intake.err != nil:
		return &halt{exitStopped, r.intake.err.Error()}
	case r.tally.Failed() > 0:
		return errFailed
	}
	return nil
}

// withAdvice tells how to go on after a signal.
func (r *runner) withAdvice(why *halt) error {
	if why.status <= exitSignal || why.reason == "" || r.undone == 0 && r.intake.whole {
		return why
	}
	return &halt{why.status, fmt.Sprintf("%s: %s: run the same command again to go on", why.reason, r.leftover())}
}

// leftover is how much was not done, as far as that is known.
func (r *runner) leftover() string {
	var left string
	switch r.undone {
	case 0:
		return "the list was not read to its end"
	case 1:
		left = "1 URL left"
	default:
		left = fmt.Sprintf("%d URLs left", r.undone)
	}
	if !r.intake.whole {
		left = "at least " + left
	}
	return left
}
