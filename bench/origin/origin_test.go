package origin

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestMain makes this program the server, as the benchmarks do.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == Part {
		if err := Serve(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func body(i, n int) []byte {
	b := make([]byte, n)
	Body(i, b)
	return b
}

func TestBody(t *testing.T) {
	require.Equal(t, body(1, 1000), body(1, 1000))
	require.NotEqual(t, body(1, 1000), body(2, 1000))
	require.Equal(t, body(1, 999), body(1, 1000)[:999])
}

// TestProcess fetches a body that comes piece by piece from a server process,
// and has the process end.
func TestProcess(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	s, err := Start(exec.Command(self, Part, "127.0.0.1:0"))
	require.NoError(t, err)
	const delay = 20 * time.Millisecond
	began := time.Now()
	res, err := http.Get(s.URL(7, 250, 100, delay))
	require.NoError(t, err)
	got, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.GreaterOrEqual(t, time.Since(began), 2*delay, "a delay before each of three pieces, but for the first's")
	require.EqualValues(t, 250, res.ContentLength)
	require.True(t, bytes.Equal(body(7, 250), got))
	s.Stop()
	require.NotNil(t, s.command.ProcessState)
	require.True(t, s.command.ProcessState.Success(), "%v", s.command.ProcessState)
}

func TestStartOfNoServer(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	_, err = Start(exec.Command(self, Part, "127.0.0.1:none"))
	require.ErrorContains(t, err, "did not say its address")
}

func TestOrders(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc(pattern, drip)
	for path, status := range map[string]int{
		"/250/100/1ms/000007.jpg": 200, "/250/100/0s/000007.jpg": 200, "/0/1/0s/000000.jpg": 200,
		"/x/100/1ms/000007.jpg": 400, "/-1/100/1ms/000007.jpg": 400, "/250/0/1ms/000007.jpg": 400,
		"/250/100/soon/000007.jpg": 400, "/250/100/1ms/seven.jpg": 400, "/250/100/1ms/000007": 400, "/250/100": 404,
	} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest("GET", path, strings.NewReader("")))
		require.Equal(t, status, w.Code, path)
	}
}
