package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// settings are what the flags say.
type settings struct {
	urls    []string
	list    string
	dir     string
	output  string
	conns   int
	perHost int
	json    bool
	silent  bool
	stats   bool
}

// errUsage marks errors that are the caller's, for exit status 2.
var errUsage = errors.New("usage")

type usageError struct{ error }

func (usageError) Is(target error) bool { return target == errUsage }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// command is the flag definitions, from which help comes too.
func command(s *settings, fetchAll func(*settings) error) *cobra.Command {
	c := &cobra.Command{
		Use:   "shoal [flags] URL...",
		Short: "Fetch many URLs at once, on one thread",
		Long: `shoal fetches many URLs at once, on one thread: raw non-blocking sockets and
one readiness loop. Files appear under their names only when they are complete.`,
		Example: `  shoal http://localhost:8080/a.jpg http://localhost:8080/b.jpg
  shoal -i urls.txt -d images/ -j 256 --json > results.jsonl
  producer | shoal -i - -d images/`,
		Args:              cobra.ArbitraryArgs,
		SilenceUsage:      true,
		SilenceErrors:     true,
		DisableAutoGenTag: true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		RunE: func(_ *cobra.Command, urls []string) error {
			s.urls = urls
			if err := s.check(); err != nil {
				return err
			}
			return fetchAll(s)
		},
	}
	f := c.Flags()
	f.SortFlags = false
	f.StringVarP(&s.list, "input-file", "i", "", "read URLs from `LIST`, one a line; - is standard input")
	f.StringVarP(&s.dir, "output-dir", "d", ".", "save into the folder `DIR`")
	f.StringVarP(&s.output, "output", "o", "", "save the one URL as `FILE`, replacing it")
	f.IntVarP(&s.conns, "jobs", "j", 128, "at most `N` connections at once")
	f.IntVar(&s.perHost, "max-per-host", 6, "at most `N` connections to one host and port")
	f.BoolVar(&s.json, "json", false, "print one JSON object for each URL on standard output")
	f.BoolVarP(&s.silent, "silent", "s", false, "print nothing but fatal errors on standard error")
	f.BoolVar(&s.stats, "stats", false, "print the system calls made, by kind, on standard error")
	c.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	return c
}

// check refuses what makes no sense together, and says what would.
func (s *settings) check() error {
	for _, n := range []struct {
		flag  string
		value int
	}{{"-j", s.conns}, {"--max-per-host", s.perHost}} {
		if n.value < 1 {
			return usagef("%s takes a number from 1, not %d (for example %s 64)", n.flag, n.value, n.flag)
		}
	}
	if s.list == "" && len(s.urls) == 0 {
		return usagef("no URL given (for a list on standard input, use -i -)")
	}
	if s.output != "" && (s.list != "" || len(s.urls) > 1) {
		return usagef("-o is for one URL; for several, use -d DIR")
	}
	for flag, value := range map[string]string{"-o": s.output, "-d": s.dir, "-i": s.list} {
		if strings.HasPrefix(value, "http://") || strings.HasPrefix(value, "https://") {
			return usagef("%s %s: that is a URL; %s takes a file or folder", flag, value, flag)
		}
	}
	return nil
}
