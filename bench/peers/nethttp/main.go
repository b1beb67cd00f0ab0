// Command nethttp is a careful program on net/http: a client that keeps as many
// connections as there are workers, and one copy buffer for each worker.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/shoalfetch/shoal/bench/peers/internal/job"
)

// copyBytes is a worker's buffer, of the size that io.Copy would make anew.
const copyBytes = 32 << 10

func main() {
	job.Run(func(j job.Job) func() job.Fetch {
		client := &http.Client{Transport: &http.Transport{
			MaxConnsPerHost:     j.Conns,
			MaxIdleConnsPerHost: j.Conns,
			DisableKeepAlives:   j.NewConns,
			DisableCompression:  true,
			TLSClientConfig:     j.TLS,
		}}
		return func() job.Fetch {
			buffer := make([]byte, copyBytes)
			return func(url, file string) error { return fetch(client, url, file, buffer) }
		}
	})
}

func fetch(client *http.Client, url, file string, buffer []byte) error {
	res, err := client.Get(url)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("status %s", res.Status)
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	// The file's own ReadFrom would leave the buffer aside and make another.
	if _, err := io.CopyBuffer(struct{ io.Writer }{f}, res.Body, buffer); err != nil {
		return err
	}
	return f.Close()
}
