package lab

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"html/template"
	"net"
)

//go:embed index.html
var indexText string

var indexTemplate = template.Must(template.New("index").Parse(indexText))

// listed is an endpoint as the index shows it.
type listed struct {
	Subject string        `json:"subject,omitempty"`
	Host    string        `json:"host,omitempty"` // empty: the server itself
	Path    string        `json:"path"`
	About   string        `json:"about"`
	Params  []listedParam `json:"params,omitempty"`
}

type listedParam struct {
	Name  string `json:"name"`
	Usual int64  `json:"default"`
	Least int64  `json:"min"`
	Most  int64  `json:"max"`
}

func list(e endpoint, subject string) listed {
	l := listed{Subject: subject, Path: "/" + e.path, About: e.about}
	for _, p := range e.params {
		l.Params = append(l.Params, listedParam{p.name, p.usual, p.least, p.atMost})
	}
	return l
}

// listGuises are the names under which the server is another one.
func (s *Server) listGuises(subject string) (all []listed) {
	if s.secured == nil {
		return nil
	}
	_, port, _ := net.SplitHostPort(s.address())
	for _, g := range guises {
		all = append(all, listed{Subject: subject, Host: net.JoinHostPort(g.host(), port), Path: "/", About: g.about})
	}
	return all
}

// serveIndex is the page at /.
func serveIndex(x *exchange) {
	type section struct {
		Title     string
		Endpoints []listed
	}
	var all struct {
		Sections []section
		Guises   []listed
	}
	for _, s := range x.server.subjects {
		t := section{Title: s.title}
		for _, e := range s.endpoints {
			t.Endpoints = append(t.Endpoints, list(e, ""))
		}
		all.Sections = append(all.Sections, t)
	}
	all.Guises = x.server.listGuises("")
	var page bytes.Buffer
	if err := indexTemplate.Execute(&page, all); err != nil {
		panic("lab: " + err.Error()) // the template and its data are ours
	}
	x.respond(200, fields{"Content-Type", "text/html; charset=utf-8"}, page.Bytes())
}

// serveIndexJSON is the same as an array of objects.
func serveIndexJSON(x *exchange) {
	all := []listed{}
	for _, s := range x.server.subjects {
		for _, e := range s.endpoints {
			all = append(all, list(e, s.title))
		}
	}
	all = append(all, x.server.listGuises("Other servers, by name")...)
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		panic("lab: " + err.Error())
	}
	x.respond(200, fields{"Content-Type", "application/json"}, append(text, '\n'))
}
