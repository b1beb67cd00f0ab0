// Command fasthttp is a careful program on fasthttp: a client that keeps as many
// connections as there are workers, and a request and a response for each worker
// that are used again and again. A body is in memory whole before it is saved,
// which is what fasthttp is made for.
package main

import (
	"fmt"
	"net"
	"os"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/shoalfetch/shoal/bench/peers/internal/job"
)

// dialTimeout leaves thousands of connections, dialled at once, their time.
const dialTimeout = 30 * time.Second

func main() {
	job.Run(func(j job.Job) func() job.Fetch {
		client := &fasthttp.Client{
			MaxConnsPerHost:               j.Conns,
			Dial:                          func(addr string) (net.Conn, error) { return fasthttp.DialTimeout(addr, dialTimeout) },
			DisableHeaderNamesNormalizing: true,
			DisablePathNormalizing:        true,
			TLSConfig:                     j.TLS,
		}
		return func() job.Fetch {
			req, res := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
			if j.NewConns {
				req.SetConnectionClose()
			}
			return func(url, file string) error { return fetch(client, req, res, url, file) }
		}
	})
}

func fetch(client *fasthttp.Client, req *fasthttp.Request, res *fasthttp.Response, url, file string) error {
	req.SetRequestURI(url)
	if err := client.Do(req, res); err != nil {
		return err
	}
	if res.StatusCode() != fasthttp.StatusOK {
		return fmt.Errorf("status %d", res.StatusCode())
	}
	return os.WriteFile(file, res.Body(), 0o666)
}
