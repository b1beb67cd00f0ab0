package main

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// openReports makes the files that results go to.
func (r *runner) openReports() (files []io.Closer, err error) {
	if r.json == standard {
		r.records = r.stdout
	}
	for _, report := range []struct {
		name string
		to   *io.Writer
	}{{r.json, &r.records}, {r.failed, &r.failures}, {r.rest, &r.left}} {
		if report.name == "" || report.name == standard && report.to == &r.records {
			continue
		}
		if err := r.checkReport(report.name); err != nil {
			return files, err
		}
		f, err := os.Create(report.name)
		if err != nil {
			return files, err
		}
		files = append(files, f)
		*report.to = f
	}
	return files, nil
}

// checkReport refuses to write over a list that is to be read.
func (r *runner) checkReport(name string) error {
	info, err := os.Stat(name)
	if err != nil {
		return nil
	}
	for _, list := range r.lists {
		if read, err := os.Stat(list); err == nil && os.SameFile(info, read) && info.Mode().IsRegular() {
			return usagef("%s is a list to read and cannot be written to meanwhile; name another file", name)
		}
	}
	return nil
}

// lostReport ends a run whose results go nowhere.
func (r *runner) lostReport(err error, name string) {
	switch {
	case errors.Is(err, syscall.EPIPE):
		r.brokenPipe()
	case name == standard:
		r.stopNow(exitStopped, "standard output: %v", err)
	default:
		r.stopNow(exitStopped, "%s: %v", name, err)
	}
}

// brokenPipe ends the run as the signal would: whoever read its output has had
// enough, and does not want to hear of it.
func (r *runner) brokenPipe() {
	r.stopNow(exitSignal+int(syscall.SIGPIPE), "")
}
