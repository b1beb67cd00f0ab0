package main

import (
	"os"
	"strings"
)

// check refuses what makes no sense together, and says what would.
func (s *settings) check() error {
	for _, check := range []func() error{s.checkPlaces, s.checkTextbook, s.checkRoutes, s.checkProxies, s.checkInput, s.checkOutput, s.checkTrust, s.checkProxyTrust, s.checkAsk, s.checkLogin, s.checkCookies, s.fault.check, s.checkAgain, s.checkRest} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// checkPlaces refuses URLs where files belong: it comes first, because then a
// URL is missing elsewhere.
func (s *settings) checkPlaces() error {
	for _, list := range s.lists {
		if isURL(list) {
			return usagef("-i %s: that is a URL; -i takes a file with URLs in it", list)
		}
	}
	for _, p := range []struct{ flag, value string }{
		{"-d", s.dir}, {"-o", s.output}, {"--json", s.json}, {"--failed", s.failed}, {"--rest", s.rest}, {"--state", s.stateFile},
	} {
		if isURL(p.value) {
			return usagef("%s %s: that is a URL; %[1]s takes a file or folder", p.flag, p.value)
		}
	}
	return nil
}

func isURL(s string) bool {
	return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://")
}

func (s *settings) checkInput() error {
	switch {
	case len(s.lists) == 0 && len(s.urls) == 0:
		return usagef("no URL given (for a list on standard input, use -i -)")
	case len(s.lists) > 0 && len(s.urls) > 0:
		return usagef("URLs and -i together: put all of them into the list")
	}
	stdin := 0
	for _, list := range s.lists {
		if list == standard {
			stdin++
		}
	}
	if stdin > 1 {
		return usagef("-i - can be given once: standard input can be read once")
	}
	return nil
}

func (s *settings) checkOutput() error {
	several := len(s.lists) > 0 || len(s.urls) > 1
	switch {
	case s.output == "" || s.discards():
	case several:
		return usagef("-o is for one URL; for several, use -d DIR")
	case s.output == standard && s.json == standard:
		return usagef("-o - and --json both go to standard output; use --json=FILE")
	}
	return nil
}

// discards says whether no body is kept.
func (s *settings) discards() bool { return s.output == os.DevNull }

func (s *settings) checkRest() error {
	switch {
	case s.loops > mostLoops:
		return usagef("--loops %d is too many: it takes at most %d", s.loops, mostLoops)
	case s.loops > 1 && s.textbook.wanted():
		return usagef("--loops and --textbook do not go together: a textbook run has one loop")
	case s.only4 && s.only6:
		return usagef("-4 and -6 together leave no address")
	case s.agent == "" || strings.ContainsAny(s.agent, "\r\n\x00"):
		return usagef("-A takes a text without line ends, as in -A \"Mozilla/5.0\"")
	case s.silent && s.verbose:
		return usagef("-s and -v together: should it be silent or explain?")
	}
	return nil
}
