package lab

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"html/template"
)

//go:embed index.html
var indexText string

var indexTemplate = template.Must(template.New("index").Parse(indexText))

// listed is an endpoint as the index shows it.
type listed struct {
	Subject string        `json:"subject,omitempty"`
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

// serveIndex is the page at /.
func serveIndex(x *exchange) {
	type section struct {
		Title     string
		Endpoints []listed
	}
	var sections []section
	for _, s := range x.server.subjects {
		t := section{Title: s.title}
		for _, e := range s.endpoints {
			t.Endpoints = append(t.Endpoints, list(e, ""))
		}
		sections = append(sections, t)
	}
	var page bytes.Buffer
	if err := indexTemplate.Execute(&page, sections); err != nil {
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
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		panic("lab: " + err.Error())
	}
	x.respond(200, fields{"Content-Type", "application/json"}, append(text, '\n'))
}
