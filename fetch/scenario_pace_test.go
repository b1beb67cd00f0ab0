package fetch_test

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/sim"
)

// paceWorld has one server at 10.0.0.1:80 that says one thing.
func paceWorld(answer sim.Response) *sim.Kernel {
	k := sim.New(1, sim.Chaos{})
	k.Serve(netip.MustParseAddrPort("10.0.0.1:80"), func(*sim.Request, *rand.Rand) sim.Response { return answer })
	return k
}

// fetchOne fetches one URL and gives the sizes of its recvs and when they were.
func fetchOne(t *testing.T, k *sim.Kernel, o fetch.Options, q fetch.Request) (res *fetch.Result, sizes []int, at []time.Duration, err error) {
	t.Helper()
	o.Trace = func(e fetch.Event) {
		if e.Kind == fetch.CallRecv && e.Errno == 0 {
			sizes, at = append(sizes, e.N), append(at, e.At)
		}
	}
	f, newErr := fetch.NewOn(k, k.Runner(), o)
	require.NoError(t, newErr)
	for r, e := range f.Fetch(context.Background(), slices.Values([]fetch.Request{q})) {
		res, err = r, e
	}
	require.NoError(t, f.Close())
	require.Empty(t, k.Open())
	require.Empty(t, k.Violations())
	return res, sizes, at, err
}

func TestRecvsOfOneSize(t *testing.T) {
	content := body("/length/10000/1")
	k := paceWorld(sim.Reply(200, "", content))
	res, sizes, _, err := fetchOne(t, k, fetch.Options{RecvBytes: 512}, fetch.Request{URL: "http://10.0.0.1/"})
	require.NoError(t, err)
	require.Equal(t, content, res.Body)
	for _, n := range sizes[:len(sizes)-1] {
		require.Equal(t, 512, n)
	}
	require.Len(t, sizes, (len(res.Head.Raw())+2+len(content)+511)/512)
}

func TestRecvsOneDelayApart(t *testing.T) {
	content := body("/length/5000/1")
	k := paceWorld(sim.Reply(200, "", content))
	res, _, at, err := fetchOne(t, k, fetch.Options{RecvBytes: 1000, RecvDelay: 250 * time.Millisecond},
		fetch.Request{URL: "http://10.0.0.1/"})
	require.NoError(t, err)
	require.Equal(t, content, res.Body)
	require.Len(t, at, 6)
	for i := 1; i < len(at); i++ {
		require.InDelta(t, 250*time.Millisecond, at[i]-at[i-1], float64(2*time.Millisecond))
	}
}

// A small receive buffer is the window: what is not received holds the server
// back, and nothing is lost.
func TestSmallRecvBuffer(t *testing.T) {
	content := body("/length/20000/1")
	k := paceWorld(sim.Reply(200, "", content))
	res, sizes, _, err := fetchOne(t, k, fetch.Options{RecvBuffer: 700}, fetch.Request{URL: "http://10.0.0.1/"})
	require.NoError(t, err)
	require.Equal(t, content, res.Body)
	require.LessOrEqual(t, slices.Max(sizes), 700)
}

func TestEndAt(t *testing.T) {
	whole := sim.Reply(200, "", []byte("hello"))
	more := sim.Raw(append(slices.Clone(whole.Bytes()), " and more"...))
	closing, silent := more, more
	closing.Then = sim.FIN
	for name, test := range map[string]struct {
		at     fetch.EndAt
		answer sim.Response
		body   string
		end    string
	}{
		"the length says so": {fetch.AtFraming, closing, "hello", "length"},
		"the server closes":  {fetch.AtClose, closing, "hello and more", "close"},
		"closing is silence": {fetch.AtSilence, closing, "hello and more", "close"},
		"nothing more comes": {fetch.AtSilence, silent, "hello and more", "close"},
	} {
		t.Run(name, func(t *testing.T) {
			res, _, _, err := fetchOne(t, paceWorld(test.answer), fetch.Options{EndAt: test.at, StallTimeout: 3 * time.Second},
				fetch.Request{URL: "http://10.0.0.1/"})
			require.NoError(t, err)
			require.Equal(t, test.body, string(res.Body))
			require.Equal(t, test.end, res.End.String())
		})
	}
}

// Without a close, reading to the close ends in a stall.
func TestEndAtCloseThatNeverComes(t *testing.T) {
	_, _, _, err := fetchOne(t, paceWorld(sim.Reply(200, "", []byte("hello"))),
		fetch.Options{EndAt: fetch.AtClose, StallTimeout: 3 * time.Second}, fetch.Request{URL: "http://10.0.0.1/"})
	require.ErrorContains(t, err, "stall timeout")
}

func TestRawRequest(t *testing.T) {
	const raw = "GET http://10.0.0.1/cover3.jpg HTTP/1.0\n\n"
	k := paceWorld(sim.ReplyUntilClose(200, "", []byte("hello")))
	res, _, _, err := fetchOne(t, k, fetch.Options{}, fetch.Request{URL: "http://10.0.0.1/", Raw: []byte(raw)})
	require.NoError(t, err)
	require.Equal(t, "hello", string(res.Body))
	require.Equal(t, raw, string(k.Served()[0].Request.Head))
}

func TestHTTP10(t *testing.T) {
	k := paceWorld(sim.ReplyUntilClose(200, "", []byte("hello")))
	_, _, _, err := fetchOne(t, k, fetch.Options{HTTP10: true}, fetch.Request{URL: "http://10.0.0.1/x"})
	require.NoError(t, err)
	require.Equal(t, "HTTP/1.0", k.Served()[0].Request.Version)
}

func TestOmittedFields(t *testing.T) {
	k := paceWorld(sim.Reply(200, "", nil))
	_, _, _, err := fetchOne(t, k, fetch.Options{Omit: []string{"accept", "User-Agent", "accept-encoding"}}, fetch.Request{
		URL: "http://10.0.0.1/x", Fields: []fetch.Field{{Name: "X-Empty"}},
	})
	require.NoError(t, err)
	require.Equal(t, "GET /x HTTP/1.1\r\nHost: 10.0.0.1\r\nX-Empty: \r\n\r\n", string(k.Served()[0].Request.Head))
}

// A field with an empty value takes the place of the engine's own, too.
func TestEmptyFieldReplaces(t *testing.T) {
	k := paceWorld(sim.Reply(200, "", nil))
	_, _, _, err := fetchOne(t, k, fetch.Options{}, fetch.Request{
		URL: "http://10.0.0.1/x", Fields: []fetch.Field{{Name: "accept"}},
	})
	require.NoError(t, err)
	require.Equal(t, "GET /x HTTP/1.1\r\nHost: 10.0.0.1\r\nUser-Agent: shoal\r\nAccept-Encoding: identity\r\naccept: \r\n\r\n", string(k.Served()[0].Request.Head))
}
