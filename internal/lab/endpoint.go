package lab

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// endpoint is one way to serve.
type endpoint struct {
	path   string // one or two segments; what follows is the content
	about  string // one line for the index page
	params []param
	serve  func(*exchange)
}

// param is a whole number in the query.
type param struct {
	name                 string
	usual, least, atMost int64
}

// subject is endpoints that belong together, for the index page.
type subject struct {
	title     string
	endpoints []endpoint
}

// subjects is every endpoint there is.
func subjects() []subject {
	return []subject{
		{"Well served", plainEndpoints},
		{"Slow", slowEndpoints},
		{"Silence", stallEndpoints},
		{"Broken off", abortEndpoints},
		{"Wrong lengths", lengthEndpoints},
		{"Chunked", chunkedEndpoints},
		{"Redirects", redirectEndpoints},
		{"Statuses and tries", statusEndpoints},
		{"Without end", endlessEndpoints},
		{"Old ways", legacyEndpoints},
		{"Codings", codingEndpoints},
		{"Ranges and validators", rangeEndpoints},
		{"Keeping the connection", keepEndpoints},
		{"Interim responses", interimEndpoints},
		{"Strange heads", headEndpoints},
		{"Types and names", typeEndpoints},
		{"Over TLS", secureEndpoints},
		{"Seeing", seeEndpoints},
	}
}

// usual is the content where the path names none.
const usual = "image/320x200.jpg"

// route finds the endpoint, the content and the numbers, and serves.
func (x *exchange) route() {
	e, rest := find(x.server.subjects, x.path)
	x.rest = rest
	if rest == "" {
		x.rest = usual
	}
	var err error
	if x.what, err = x.server.shelf.get(x.rest); err != nil {
		x.text(404, err.Error()+"\n")
		return
	}
	if err = x.numbers(e); err != nil {
		x.text(400, err.Error()+"\n")
		return
	}
	e.serve(x)
}

// find splits a path into the endpoint and the content. A path of neither is
// the content of the first, honest endpoint, and not found there.
func find(subjects []subject, path string) (endpoint, string) {
	var best endpoint
	for _, s := range subjects {
		for _, e := range s.endpoints {
			if len(e.path) > len(best.path) && (path == e.path || strings.HasPrefix(path, e.path+"/")) {
				best = e
			}
		}
	}
	switch {
	case best.serve != nil:
		return best, strings.Trim(strings.TrimPrefix(path, best.path), "/")
	case path == "":
		return endpoint{serve: serveIndex}, ""
	}
	return plainEndpoints[0], path
}

// numbers reads what the endpoint declares from the query.
func (x *exchange) numbers(e endpoint) error {
	x.args = make(map[string]int64)
	for name := range x.query {
		if name != "token" && !slices.ContainsFunc(e.params, func(p param) bool { return p.name == name }) {
			return fmt.Errorf("/%s has no number called %.40q", e.path, name)
		}
	}
	for _, p := range e.params {
		x.args[p.name] = p.usual
		if !x.query.Has(p.name) {
			continue
		}
		n, err := strconv.ParseInt(x.query.Get(p.name), 10, 64)
		if err != nil || n < p.least || n > p.atMost {
			return fmt.Errorf("%s is a whole number from %d to %d, as in %s=%d", p.name, p.least, p.atMost, p.name, p.usual)
		}
		x.args[p.name] = n
	}
	return nil
}
