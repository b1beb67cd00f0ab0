package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/robots"
)

// TestPoliteRedirects: where a redirect leads is asked about as where a line does,
// on the same site, on one that has been asked, and on one that has not.
func TestPoliteRedirects(t *testing.T) {
	for _, how := range [][]string{{"-j", "1"}, {"-j", "50"}, {"-j", "50", "--loops", "2"}} {
		t.Run(fmt.Sprint(how), func(t *testing.T) {
			third := newEstate(t, says(""))
			second := newEstate(t, says("User-agent: *\nDisallow: /b\n"))
			first := newEstate(t, says("User-agent: *\nDisallow: /private\n"))
			other := strings.Replace(second.URL, "127.0.0.1", "localhost", 1)
			dir := t.TempDir()
			list := listFile(t, first.URL+"/to/a?"+other+"/a", first.URL+"/to/b?"+other+"/b", first.URL+"/to/c?/private",
				first.URL+"/to/d?/public", first.URL+"/to/e?"+other+"/to/e?"+third.URL+"/e", first.URL+"/to/f?"+other+"/robots.txt")
			got := shoal(t, append([]string{"-d", dir, "-i", list, "--polite", "--json"}, how...)...)
			require.Equal(t, exitFailed, got.status, got.stderr)
			require.Contains(t, got.stderr, "4 fetched, 2 failed (2 not allowed by their sites)")
			require.Contains(t, got.stderr, `redirect to "`+other+`/b" not followed: robots.txt does not allow it: line 2, Disallow: /b`)
			require.Contains(t, got.stderr, `redirect to "/private" not followed: robots.txt does not allow it: line 2, Disallow: /private`)
			outcomes := map[int]string{}
			for line, r := range records(t, got.stdout) {
				outcomes[line] = fmt.Sprint(r.Outcome, " ", filepath.Base(r.Path), " ", len(r.Hops))
				if r.Error != nil {
					outcomes[line] = r.Error.Phase + " " + r.Error.Kind
				}
			}
			require.Equal(t, map[int]string{1: "saved a 2", 2: "status robots", 3: "status robots", 4: "saved d 2", 5: "saved e 3", 6: "saved f 2"}, outcomes)
			require.Equal(t, "It's /e", content(t, dir, "e"))
			for _, e := range []*estate{first, second, third} {
				asked := e.takeAsked()
				require.Equal(t, "/robots.txt", asked[0])
				require.NotContains(t, asked, "/b")
				require.NotContains(t, asked, "/private")
				if e == third {
					require.Equal(t, []string{"/robots.txt", "/e"}, asked)
				}
			}
		})
	}
}

// TestPoliteRedirectAlone: one line, whose redirect comes when the list has ended.
func TestPoliteRedirectAlone(t *testing.T) {
	second, first := newEstate(t, says("")), newEstate(t, says(""))
	for _, to := range [][]string{{"-d", t.TempDir()}, {"-o", filepath.Join(t.TempDir(), "one")}, {"-o", os.DevNull}} {
		got := shoal(t, append(to, "-s", "--polite", first.URL+"/to/a?"+second.URL+"/a")...)
		require.Equal(t, exitOK, got.status, got.stderr)
		require.Equal(t, []string{"/robots.txt", "/to/a?" + second.URL + "/a", "/to/a?" + second.URL + "/a"}, first.takeAsked())
		require.Equal(t, []string{"/robots.txt", "/a"}, second.takeAsked())
	}
}

// TestPoliteRedirectOfPost: what changes something on a server is not sent twice.
func TestPoliteRedirectOfPost(t *testing.T) {
	second, first := newEstate(t, says("")), newEstate(t, says(""))
	args := []string{"-o", os.DevNull, "-j", "1", "--polite", "--data", "x=1"}
	leads := first.URL + "/to/a?" + second.URL + "/a"
	got := shoal(t, append(args, leads)...)
	require.Equal(t, exitFailed, got.status)
	require.Contains(t, got.stderr, "the robots.txt of that site was not asked for before, and a POST is not sent twice")
	require.Len(t, first.takeAsked(), 2)
	require.Empty(t, second.takeAsked())

	got = shoal(t, append(args, second.URL+"/b", leads)...)
	require.Equal(t, exitOK, got.status, got.stderr)
	require.Equal(t, []string{"/robots.txt", "/b", "/a"}, second.takeAsked(), "that site had been asked")
}

// TestPoliteMaze: a server that leads to another site each time ends nothing but
// the line.
func TestPoliteMaze(t *testing.T) {
	var asked, sites atomic.Int32
	maze := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/robots.txt" {
			http.NotFound(w, r)
			return
		}
		asked.Add(1)
		http.Redirect(w, r, fmt.Sprintf("http://site%d.test/x", sites.Add(1)), http.StatusFound)
	}))
	defer maze.Close()
	got := shoal(t, "-d", t.TempDir(), "--polite", "--connect-to", "::"+maze.Listener.Addr().String(), "http://site0.test/x")
	require.Equal(t, exitFailed, got.status)
	require.Contains(t, got.stderr, "it led to 10 sites that had not been asked for their robots.txt")
	require.EqualValues(t, detoursMost+1, asked.Load())
}

// TestPoliteRedirectOfRobots: a line that is a robots.txt goes again under its name.
func TestPoliteRedirectOfRobots(t *testing.T) {
	second := newEstate(t, says("User-agent: *\nDisallow: /b\n"))
	first := newEstate(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, second.URL+"/elsewhere", http.StatusFound)
	})
	for _, to := range [][]string{{"-d", t.TempDir()}, {"-o", filepath.Join(t.TempDir(), "robots.txt")}} {
		got := shoal(t, append(to, "--polite", first.URL+"/robots.txt")...)
		require.Equal(t, exitOK, got.status, got.stderr)
		require.Equal(t, []string{"robots.txt"}, names(t, strings.TrimSuffix(to[1], "/robots.txt")))
		second.takeAsked()
	}
}

// TestPoliteRedirectNotRetried: to try again would change nothing.
func TestPoliteRedirectNotRetried(t *testing.T) {
	second, first := newEstate(t, says("User-agent: *\nDisallow: /b\n")), newEstate(t, says(""))
	got := shoal(t, "-d", t.TempDir(), "--polite", "--retry", "3", "--retry-all-errors", first.URL+"/to/a?"+second.URL+"/b")
	require.Equal(t, exitFailed, got.status)
	require.Contains(t, got.stderr, "line 2, Disallow: /b")
	require.Len(t, first.takeAsked(), 3, "its robots.txt, and the URL before and after the other's")
	require.Equal(t, []string{"/robots.txt"}, second.takeAsked())
}

// TestPoliteRedirectWithDelay: a line that goes again is one of its site's.
func TestPoliteRedirectWithDelay(t *testing.T) {
	second, first := newEstate(t, says("")), newEstate(t, says("User-agent: *\nCrawl-delay: 0.3\n"))
	got := shoal(t, "-d", t.TempDir(), "--polite", first.URL+"/to/a?"+second.URL+"/a", first.URL+"/b")
	require.Equal(t, exitOK, got.status, got.stderr)
	require.Len(t, first.takeAsked(), 4)
	first.requireApart(t, 300*time.Millisecond)
}

// TestPoliteDelayKept: that a line goes in the moment between the end of a delay and
// the look at it leaves no other waiting for ever.
func TestPoliteDelayKept(t *testing.T) {
	p := newPolite("shoal", nil)
	p.wake = func() {}
	s := &siteRules{rules: robots.Parse("User-agent: *\nCrawl-delay: 0.05\n", "shoal")}
	p.sites["http://a.test"] = s
	line := func() fetch.Request { return fetch.Request{URL: "http://a.test/x", Tag: &place{lineage: commandLine}} }
	for range 3 {
		p.hold(s, line())
	}
	p.release(s)
	require.Eventually(t, p.due.Load, 10*time.Second, time.Millisecond)
	p.held++
	p.goAgain(line()) // and one of those that waited goes
	gone := 0
	require.Eventually(t, func() bool {
		if _, ok := p.next(); ok {
			gone++
		}
		return gone == 4
	}, 10*time.Second, time.Millisecond)
	require.Zero(t, p.held)
}
