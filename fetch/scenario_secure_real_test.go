package fetch_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/internal/leaktest"
)

var (
	handshakes = flag.Int("handshakes", 1000, "how many handshakes TestManyHandshakes does for each version of TLS")
	atOnce     = flag.Int("atonce", 500, "how many connections TestSecureAtOnce has open at once")
)

// secureListener is TLS in front of the loopback tests' server. It says with what
// certificate.
func secureListener(l net.Listener) net.Listener {
	_, certificate := certify(time.Now().AddDate(-1, 0, 0), nil, []string{"127.0.0.1"})
	fmt.Println(base64.StdEncoding.EncodeToString(certificate.Leaf.Raw))
	return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{certificate}})
}

// startSecureServer starts a server over TLS, and gives its port and who
// believes it.
func startSecureServer(t *testing.T) (port string, believer *fetch.TLS) {
	t.Helper()
	port, out := serveApart(t, serveSecurely)
	return port, &fetch.TLS{Roots: readRoot(t, out)}
}

func readRoot(t *testing.T, out *bufio.Reader) *x509.CertPool {
	t.Helper()
	line, err := out.ReadString('\n')
	require.NoError(t, err)
	der, err := base64.StdEncoding.DecodeString(strings.TrimSpace(line))
	require.NoError(t, err)
	certificate, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(certificate)
	return pool
}

// gathering lets requests wait until all of them are there.
var gathering struct {
	sync.Mutex
	come int
	all  chan struct{}
}

// waitForAll returns in so many calls when the last of them has been made.
func waitForAll(n string) {
	most, _ := strconv.Atoi(n)
	g := &gathering
	g.Lock()
	if g.come++; g.come == 1 {
		g.all = make(chan struct{})
	}
	all := g.all
	if g.come == most {
		g.come = 0
		close(all)
	}
	g.Unlock()
	<-all
}

// TestManyHandshakes fetches bodies over a connection each, on the real kernel.
// Every body is what was served, and nothing is left.
func TestManyHandshakes(t *testing.T) {
	n := *handshakes
	if testing.Short() || raceEnabled {
		n /= 5
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			port, believer := startSecureServer(t)
			openBefore, before := descriptors(t), runtime.NumGoroutine()
			believer.MaxVersion = version
			shaken, resumed := 0, 0
			f := newReal(t, fetch.Options{MaxConns: 100, MaxPerHost: 100, HTTP10: true, TLS: believer, Trace: func(e fetch.Event) {
				if e.Kind == fetch.ConnOpen {
					shaken++
				}
			}})
			var requests []fetch.Request
			for i := range n {
				way := []string{"length", "chunked", "close"}[i%3]
				requests = append(requests, fetch.Request{URL: fmt.Sprintf("https://127.0.0.1:%s/%s/%d/%d", port, way, i*7%40_000, i)})
			}
			for res, err := range f.FetchFrom(context.Background(), &pulled{requests: requests}) {
				require.NoError(t, err)
				require.True(t, string(wanted(t, res)) == string(res.Body), "%s: %d bytes, or others", res.URL, len(res.Body))
				require.Equal(t, version, res.TLS.Version)
				require.False(t, res.Reused)
				if res.TLS.Resumed {
					resumed++
				}
			}
			require.NoError(t, f.Close())
			require.GreaterOrEqual(t, shaken, n)
			require.Equal(t, openBefore, descriptors(t))
			leaktest.Settled(t, before)
			t.Logf("%d handshakes, of which %d resumed a session", shaken, resumed)
		})
	}
}

// TestSecureAtOnce has many connections open at once, each in the middle of an
// exchange, and bounds what one takes.
func TestSecureAtOnce(t *testing.T) {
	port, believer := startSecureServer(t)
	openBefore, before := descriptors(t), runtime.NumGoroutine()
	waiting, most, alone := 0, uint64(0), memoryInUse()
	f := newReal(t, fetch.Options{MaxConns: *atOnce, MaxPerHost: *atOnce, TLS: believer, ConnectTimeout: time.Minute,
		FirstByteTimeout: time.Minute, Trace: func(e fetch.Event) {
			if e.Kind == fetch.ExchangeAwaiting {
				if waiting++; waiting == *atOnce {
					most = memoryInUse()
				}
			}
		}})
	url := fmt.Sprintf("https://127.0.0.1:%s/together/%d", port, *atOnce)
	for res, err := range f.FetchFrom(context.Background(), &pulled{requests: slices.Repeat(gets(url), *atOnce)}) {
		require.NoError(t, err)
		require.True(t, strings.HasSuffix(url, string(res.Body)))
	}
	require.NoError(t, f.Close())
	require.Equal(t, *atOnce, waiting)
	require.Equal(t, openBefore, descriptors(t))
	leaktest.Settled(t, before)
	each := (most - alone) / uint64(*atOnce)
	t.Logf("%d connections at once, each %d bytes", *atOnce, each)
	if !raceEnabled {
		require.LessOrEqual(t, each, uint64(20<<10))
	}
}

// memoryInUse is what the heap and the stacks hold after a collection.
func memoryInUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// TestSecureCancelledForReal ends a Fetch at each event of its life on the real
// kernel: no descriptor is left, and no goroutine, which a coroutine is too.
func TestSecureCancelledForReal(t *testing.T) {
	port, believer := startSecureServer(t)
	base := "https://127.0.0.1:" + port
	openBefore, before := descriptors(t), runtime.NumGoroutine()
	for n := 1; ; n++ {
		left := cancelAfter(t, n, believer, gets(base+"/length/30000/a", base+"/to/302/close/20000/b", base+"/chunked/40000/c"))
		require.Equal(t, openBefore, descriptors(t), "cancelled at event %d", n)
		leaktest.Settled(t, before)
		if left > 0 {
			require.Greater(t, n, 40)
			break
		}
	}
	random := rand.New(rand.NewPCG(1, 1))
	for range 20 {
		cancelAfter(t, 1+random.IntN(1000), believer, slices.Repeat(gets(base+"/close/50000/d"), 100))
		require.Equal(t, openBefore, descriptors(t))
		leaktest.Settled(t, before)
	}
}

// cancelAfter cancels a Fetch at its nth event, and says how many events were
// missing to that when it had ended by itself.
func cancelAfter(t *testing.T, n int, believer *fetch.TLS, requests []fetch.Request) (left int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	f := newReal(t, fetch.Options{MaxPerHost: 50, TLS: believer, Trace: func(fetch.Event) {
		if n--; n == 0 {
			cancel()
		}
	}})
	results := 0
	for _, err := range f.FetchFrom(ctx, &pulled{requests: requests}) {
		if results++; err != nil {
			require.ErrorIs(t, err, context.Canceled)
		}
	}
	if left = n; left > 0 {
		require.Equal(t, len(requests), results)
	}
	require.NoError(t, f.Close())
	return left
}
