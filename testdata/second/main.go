// Command second is somebody else's program: it fetches the URLs it is given
// into a folder, with what the module exports.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/shoalfetch/shoal/fetch"
	"github.com/shoalfetch/shoal/fetch/save"
)

func main() {
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(folder string, urls []string) error {
	f, err := fetch.New(fetch.Options{Sink: save.Dir(folder)})
	if err != nil {
		return err
	}
	defer f.Close()
	requests := func(yield func(fetch.Request) bool) {
		for _, url := range urls {
			if !yield(fetch.Request{URL: url}) {
				return
			}
		}
	}
	for res, err := range f.Fetch(context.Background(), requests) {
		if err != nil {
			return err
		}
		fmt.Println(res.Outcome, res.Name, res.Bytes)
	}
	return nil
}
