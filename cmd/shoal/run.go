package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/fetch/save"
	"github.com/shoalfetch/shoal/internal/kernel"
	"github.com/shoalfetch/shoal/internal/offload"
	"github.com/shoalfetch/shoal/internal/view"
)

// The exit statuses.
const (
	exitOK     = 0 // everything was fetched, or is there already
	exitFailed = 1 // some URL failed
	exitUsage  = 2 // the flags make no sense, or a list or folder cannot be opened
)

// version is what --version prints and requests carry.
const version = "0.1.0"

// failuresShown is how many failures are told of one by one.
const failuresShown = 20

// lookups is how many names are looked up at once.
const lookups = 64

// errFailed says that some URL failed; which ones has been told.
var errFailed = errors.New("some URLs failed")

// run is the whole command: arguments in, exit status out.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	r := &runner{stdin: stdin, stdout: stdout, stderr: stderr}
	c := command(&r.settings, func(*settings) error { return r.fetchAll(context.Background()) })
	c.Version = version
	c.SetVersionTemplate("shoal {{.Version}}\n")
	c.SetArgs(args)
	c.SetOut(stdout)
	c.SetErr(stderr)
	switch err := c.Execute(); {
	case err == nil:
		return exitOK
	case errors.Is(err, errFailed):
		return exitFailed
	default:
		fmt.Fprintf(stderr, "shoal: %s\n", view.Plain(err.Error()))
		if errors.Is(err, errUsage) {
			fmt.Fprintln(stderr, "Try shoal --help.")
		}
		return exitUsage
	}
}

// runner is one run of the command.
type runner struct {
	settings
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer

	folder  *save.Folder
	counted *kernel.Counted
	tally   view.Tally
	records *bufio.Writer
}

// fetchAll fetches what the settings name and tells what became of it.
func (r *runner) fetchAll(ctx context.Context) error {
	source, err := r.source()
	if err != nil {
		return err
	}
	defer source.close()
	f, err := r.fetcher()
	if err != nil {
		return err
	}
	defer f.Close()
	r.records = bufio.NewWriter(r.stdout)
	began := time.Now()
	for res, err := range f.FetchFrom(ctx, source) {
		r.tally.Add(res)
		r.tellFailure(res, err)
		if err := r.record(res, err); err != nil {
			return err
		}
	}
	r.summarize(time.Since(began))
	if err := source.failure(); err != nil {
		return err
	}
	if r.tally.Failed > 0 {
		return errFailed
	}
	return nil
}

// fetcher makes the engine, over a kernel that counts when that was asked for.
func (r *runner) fetcher() (*fetch.Fetcher, error) {
	r.folder = save.Dir(r.dir)
	if r.output != "" {
		r.folder = save.File(r.output)
	}
	options := fetch.Options{
		MaxConns:   r.conns,
		MaxPerHost: r.perHost,
		UserAgent:  "shoal/" + version,
		Sink:       r.folder,
	}
	if !r.stats {
		return fetch.New(options)
	}
	k, err := kernel.New()
	if err != nil {
		return nil, err
	}
	r.counted = kernel.Count(k)
	return fetch.NewOn(r.counted, offload.New(lookups, func() { _ = k.Wake() }), options)
}

// tellFailure prints one line for a fetch that failed, the first few times.
func (r *runner) tellFailure(res *fetch.Result, err error) {
	if err == nil || r.silent || r.tally.Failed > failuresShown {
		return
	}
	where := ""
	if line, ok := res.Request.Tag.(int); ok && r.list != "" {
		where = fmt.Sprintf("line %d: ", line)
	}
	fmt.Fprintf(r.stderr, "shoal: %s%s\n", where, view.Plain(err.Error()))
}

// record prints one result as JSON: one write a line, so that a reader of the
// pipe sees whole lines.
func (r *runner) record(res *fetch.Result, err error) error {
	if !r.json {
		return nil
	}
	line, jsonErr := json.Marshal(view.RecordOf(res, err, r.folder.Path))
	if jsonErr != nil {
		return jsonErr
	}
	if _, err := r.stdout.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("standard output: %w", err)
	}
	return nil
}

// summarize prints what a run has come to, when it was more than one URL.
func (r *runner) summarize(took time.Duration) {
	if r.silent {
		return
	}
	if more := r.tally.Failed - failuresShown; more > 0 {
		fmt.Fprintf(r.stderr, "shoal: and %d more failures\n", more)
	}
	if r.tally.Total() > 1 {
		fmt.Fprintf(r.stderr, "shoal: %s\n", r.tally.Summary(took))
	}
	if r.stats {
		fmt.Fprint(r.stderr, view.Ledger(r.counted.Snapshot(), r.tally.Total()))
	}
}
