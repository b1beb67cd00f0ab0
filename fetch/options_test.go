package fetch_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/fetch/save"
	"github.com/shoalfetch/shoal/internal/sim"
)

// newOn tries to make a Fetcher on a machine with so many descriptors.
func newOn(t *testing.T, limit int, o fetch.Options) error {
	k := sim.New(1, sim.Chaos{})
	k.Limit = limit
	f, err := fetch.NewOn(k, k.Runner(), o)
	if err == nil {
		require.NoError(t, f.Close())
	}
	require.Empty(t, k.Open())
	return err
}

// TestZeroOptions work.
func TestZeroOptions(t *testing.T) {
	f, err := fetch.New(fetch.Options{})
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

// TestOptionsRefused: what makes no sense is refused by its name and value.
func TestOptionsRefused(t *testing.T) {
	for text, o := range map[string]fetch.Options{
		"MaxConns is -1":                 {MaxConns: -1},
		"MaxPerHost is -2":               {MaxPerHost: -2},
		"LookupTimeout is -1s":           {LookupTimeout: -time.Second},
		"ConnectTimeout is -1s":          {ConnectTimeout: -time.Second},
		"SendTimeout is -1s":             {SendTimeout: -time.Second},
		"FirstByteTimeout is -1s":        {FirstByteTimeout: -time.Second},
		"StallTimeout is -1s":            {StallTimeout: -time.Second},
		"TotalTimeout is -1s":            {TotalTimeout: -time.Second},
		"IdleTimeout is -1s":             {IdleTimeout: -time.Second},
		"MaxConnAge is -1s":              {MaxConnAge: -time.Second},
		"MaxConns is 900, but the descr": {MaxConns: 900, Sink: save.Dir("out")},
	} {
		require.ErrorContains(t, newOn(t, 1024, o), text)
	}
}

// TestUserAgentIsChecked by New: a line end in it would otherwise come up with
// the first request.
func TestUserAgentIsChecked(t *testing.T) {
	err := newOn(t, 1024, fetch.Options{UserAgent: "shoal\r\nX-Evil: 1"})
	require.ErrorContains(t, err, "UserAgent")
}

// TestDescriptorLimit: more connections than there can be descriptors are
// refused with the number there can be, which then works. A file needs one too.
func TestDescriptorLimit(t *testing.T) {
	for each, sink := range map[int]fetch.Sink{1: nil, 2: save.Dir("out")} {
		most := (1000 - 70) / each
		require.NoError(t, newOn(t, 1000, fetch.Options{MaxConns: most, Sink: sink}))
		err := newOn(t, 1000, fetch.Options{MaxConns: most + 1, Sink: sink})
		require.ErrorContains(t, err, "ulimit -n")
		require.ErrorContains(t, err, map[int]string{1: "930", 2: "465"}[each])
	}
	require.ErrorContains(t, newOn(t, 10, fetch.Options{}), "room for 0 connections")
}

// TestRequestsRefused at admission, in phase request, before anything is asked
// of the network.
func TestRequestsRefused(t *testing.T) {
	for text, q := range map[string]fetch.Request{
		"no scheme":                    {URL: "a.test/x"},
		`scheme "ftp"`:                 {URL: "ftp://a.test/"},
		"no host":                      {URL: "http:///x"},
		"user name":                    {URL: "http://u%3Av:p@a.test/"},
		"in a name or password":        {URL: "http://u:p/w@a.test/"},
		"port 65536":                   {URL: "http://a.test:65536/"},
		"no form for DNS":              {URL: "http://a\uff0fb.test/"},
		"invalid URL escape":           {URL: "http://%41.test/"},
		"invalid control character":    {URL: "http://a.test/\r\nX: y"},
		"CONNECT":                      {URL: "http://a.test/", Method: "CONNECT"},
		"method":                       {URL: "http://a.test/", Method: "GE T"},
		"Content-Length is the engine": {URL: "http://a.test/", Fields: []fetch.Field{{Name: "Content-Length", Value: "5"}}},
		"Connection is the engine":     {URL: "http://a.test/", Fields: []fetch.Field{{Name: "Connection", Value: "close"}}},
		"transfer-encoding is the":     {URL: "http://a.test/", Fields: []fetch.Field{{Name: "transfer-encoding", Value: "chunked"}}},
		"field name":                   {URL: "http://a.test/", Fields: []fetch.Field{{Name: "a b", Value: "x"}}},
		"field value":                  {URL: "http://a.test/", Fields: []fetch.Field{{Name: "A", Value: "x\r\nB: y"}}},
		"host":                         {URL: "http://a.test/", Fields: []fetch.Field{{Name: "Host", Value: "a b"}}},
	} {
		t.Run(text, func(t *testing.T) {
			s := newScene(t)
			got := s.one(q)
			require.ErrorContains(t, got.err, text)
			require.Equal(t, fetch.PhaseRequest, phaseOf(t, got.err))
			require.Zero(t, got.Attempts)
			require.Zero(t, s.k.Counts().Opened)
		})
	}
}

// TestOwnFields: the caller's fields replace the engine's, once each.
func TestOwnFields(t *testing.T) {
	s := newScene(t)
	s.host("a.test", "10.1.0.1", ok)
	s.options.UserAgent = "fish/1"
	f := s.fetcher()
	s.run(f, gets("http://a.test:80/p?q=1 2")...)
	s.run(f, fetch.Request{URL: "http://a.test/", Fields: []fetch.Field{
		{Name: "user-agent", Value: "mine"}, {Name: "ACCEPT", Value: "image/*"}, {Name: "host", Value: "other.test"}, {Name: "X-A", Value: "1"},
		{Name: "accept-encoding", Value: "br"}}})
	require.Equal(t, "GET /p?q=1%202 HTTP/1.1\r\nHost: a.test\r\nUser-Agent: fish/1\r\nAccept: */*\r\nAccept-Encoding: identity\r\n\r\n", string(s.k.Served()[0].Request.Head))
	require.Equal(t, "GET / HTTP/1.1\r\nHost: other.test\r\nuser-agent: mine\r\nACCEPT: image/*\r\nX-A: 1\r\naccept-encoding: br\r\n\r\n", string(s.k.Served()[1].Request.Head))
}

// TestPostWithoutBody says that there is none, as a method that usually has
// one must (RFC 9110 section 8.6).
func TestPostWithoutBody(t *testing.T) {
	for method, length := range map[string]string{"POST": "0", "PUT": "0", "PATCH": "0", "GET": "", "DELETE": ""} {
		s := newScene(t)
		s.host("a.test", "10.1.0.1", ok)
		s.one(fetch.Request{URL: "http://a.test/", Method: method})
		require.Equal(t, length, s.k.Served()[0].Request.Field("Content-Length"), method)
	}
}

// TestEndedContext yields nothing, since nothing was admitted.
func TestEndedContext(t *testing.T) {
	s := newScene(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for range s.fetcher().Fetch(ctx, slices.Values(gets("http://a.test/"))) {
		t.Fatal("a result")
	}
}
