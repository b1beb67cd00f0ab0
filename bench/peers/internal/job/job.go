// Package job is what the peers in Go have in common: the arguments, and the
// workers that take the URLs of the list in turn.
package job

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
)

// Job is what a peer is told.
type Job struct {
	Conns    int  // connections at a time, and workers
	NewConns bool // a new connection for each fetch
	TLS      *tls.Config
	dir      string
	urls     []string
}

// Fetch gets a URL into a file. It is one worker's, so it may have a buffer.
type Fetch func(url, file string) error

// Run reads the arguments, has newFetch called once for each worker of the job,
// and ends the program with status 1 if a fetch failed.
func Run(client func(Job) (newFetch func() Fetch)) {
	log.SetFlags(0)
	j, err := parse()
	if err != nil {
		log.Fatal(err)
	}
	if failed := j.work(client(j)); failed > 0 {
		log.Fatalf("%d of %d failed", failed, len(j.urls))
	}
}

func parse() (j Job, err error) {
	flag.IntVar(&j.Conns, "conns", 64, "connections at a time")
	flag.BoolVar(&j.NewConns, "new", false, "a new connection for each fetch")
	flag.StringVar(&j.dir, "dir", ".", "folder to save into")
	authority := flag.String("cacert", "", "PEM `file` of the authorities to believe")
	flag.Parse()
	if flag.NArg() != 1 || j.Conns < 1 {
		return j, errors.New("usage: [-conns N] [-new] [-dir DIR] [-cacert FILE] LIST")
	}
	if *authority != "" {
		if j.TLS, err = settings(*authority); err != nil {
			return j, err
		}
	}
	list, err := os.ReadFile(flag.Arg(0))
	if err != nil {
		return j, err
	}
	j.urls = strings.Fields(string(list))
	return j, nil
}

// settings are the library's own, but for the authorities, and with sessions kept
// to be resumed.
func settings(authority string) (*tls.Config, error) {
	pem, err := os.ReadFile(authority)
	if err != nil {
		return nil, err
	}
	believed := x509.NewCertPool()
	if !believed.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s has no certificate", authority)
	}
	return &tls.Config{RootCAs: believed, ClientSessionCache: tls.NewLRUClientSessionCache(0)}, nil
}

// work has as many workers as connections, and gives how many fetches failed.
func (j Job) work(newFetch func() Fetch) int64 {
	var next, failed atomic.Int64
	var workers sync.WaitGroup
	for range min(j.Conns, len(j.urls)) {
		fetch := newFetch()
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(j.urls)); i = next.Add(1) - 1 {
				url := j.urls[i]
				if err := fetch(url, filepath.Join(j.dir, path.Base(url))); err != nil {
					log.Print(fmt.Errorf("%s: %w", url, err))
					failed.Add(1)
				}
			}
		})
	}
	workers.Wait()
	return failed.Load()
}
