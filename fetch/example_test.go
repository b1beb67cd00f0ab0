package fetch_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/shoalfetch/shoal/fetch"
)

// aquarium is the server of the examples.
func aquarium() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name, ok := strings.CutPrefix(r.URL.Path, "/fish/"); ok {
			fmt.Fprintf(w, "a picture of a %s", name)
			return
		}
		http.NotFound(w, r)
	}))
}

// Fetch yields each request once, as it ends. A failure says in which phase.
func ExampleFetcher_Fetch() {
	server := aquarium()
	defer server.Close()

	f, err := fetch.New(fetch.Options{MaxPerHost: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()

	requests := slices.Values([]fetch.Request{
		{URL: server.URL + "/fish/herring"},
		{URL: server.URL + "/birds"},
		{URL: server.URL + "/fish/sprat"},
	})
	for res, err := range f.Fetch(context.Background(), requests) {
		var failed *fetch.Error
		if errors.As(err, &failed) {
			fmt.Printf("failed in phase %v: %v\n", failed.Phase, failed.Err)
			continue
		}
		fmt.Printf("%d %s, reused: %v\n", res.Head.Status, res.Body, res.Reused)
	}
	// Output:
	// 200 a picture of a herring, reused: false
	// failed in phase status: 404 Not Found
	// 200 a picture of a sprat, reused: true
}

// A Queue is filled by other goroutines while the Fetch runs.
func ExampleQueue() {
	server := aquarium()
	defer server.Close()

	f, err := fetch.New(fetch.Options{MaxPerHost: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()

	ctx := context.Background()
	queue := fetch.NewQueue(16)
	go func() {
		defer queue.Close()
		for _, fish := range []string{"cod", "eel", "ray"} {
			r := fetch.Request{URL: server.URL + "/fish/" + fish, Tag: fish}
			if err := queue.Push(ctx, r); err != nil {
				return
			}
		}
	}()

	for res, err := range f.FetchFrom(ctx, queue) {
		fmt.Println(res.Request.Tag, res.Bytes, err)
	}
	// Output:
	// cod 18 <nil>
	// eel 18 <nil>
	// ray 18 <nil>
}

// A Fetcher uses one core. Several share the work by host, each on a thread of
// its own.
func ExampleRequest_Host() {
	server := aquarium()
	defer server.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")

	ctx := context.Background()
	var loops sync.WaitGroup
	queues, counts := [2]*fetch.Queue{}, [2]int{}
	for i := range queues {
		f, err := fetch.New(fetch.Options{MaxConns: 64})
		if err != nil {
			fmt.Println(err)
			return
		}
		queues[i] = fetch.NewQueue(16)
		loops.Go(func() {
			runtime.LockOSThread()
			defer f.Close()
			for _, err := range f.FetchFrom(ctx, queues[i]) {
				if err == nil {
					counts[i]++
				}
			}
		})
	}
	dealt := map[string]int{}
	for n := range 10 {
		r := fetch.Request{URL: fmt.Sprintf("http://%s:%s/fish/%d", []string{"127.0.0.1", "localhost"}[n%2], port, n)}
		host, err := r.Host()
		if err != nil {
			fmt.Println(err)
			continue
		}
		if _, met := dealt[host]; !met {
			dealt[host] = len(dealt) % len(queues)
		}
		if err := queues[dealt[host]].Push(ctx, r); err != nil {
			fmt.Println(err)
		}
	}
	for _, q := range queues {
		q.Close()
	}
	loops.Wait()
	fmt.Println(counts)
	// Output:
	// [5 5]
}

// digests is a sink that keeps the SHA-256 of each body instead of the body.
type digests map[string]string

func (d digests) Open(info fetch.OpenInfo) (fetch.Body, error) {
	if info.Length > 1<<30 {
		return nil, errors.New("too long to be a fish")
	}
	return &digest{sha256.New(), d, info.Request.URL}, nil
}

// digest is one body on its way through the hash.
type digest struct {
	hash.Hash
	into digests
	url  string
}

func (d *digest) Write(piece []byte) error {
	_, err := d.Hash.Write(piece)
	return err
}

func (d *digest) Commit() error {
	d.into[d.url] = fmt.Sprintf("%x", d.Sum(nil))
	return nil
}

func (d *digest) Discard() {}

// A Sink decides where bodies go.
func ExampleSink() {
	server := aquarium()
	defer server.Close()

	sums := digests{}
	f, err := fetch.New(fetch.Options{Sink: sums})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()

	url := server.URL + "/fish/shark"
	for res, err := range f.Fetch(context.Background(), slices.Values([]fetch.Request{{URL: url}})) {
		fmt.Println(res.Outcome, res.Body == nil, err)
	}
	fmt.Println(sums[url][:16])
	// Output:
	// fetched true <nil>
	// 98f0523dc9cab46f
}

// A client of net/http fetches over a loop; nothing else about it changes.
func ExampleNewTransport() {
	server := aquarium()
	defer server.Close()

	transport, err := fetch.NewTransport(fetch.Options{Decode: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer transport.Close()

	client := &http.Client{Transport: transport}
	res, err := client.Get(server.URL + "/fish/herring")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	fmt.Println(res.Status, string(text), err)
	// Output: 200 OK a picture of a herring <nil>
}
