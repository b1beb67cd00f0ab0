package view

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"github.com/shoalfetch/shoal/fetch"
)

// Record is one line of --json: what became of one line of the input. Fields
// without a value are left out. Times are in seconds.
type Record struct {
	V           int     `json:"v"` // version of this format
	Line        int     `json:"line,omitempty"`
	URL         string  `json:"url"`
	FinalURL    string  `json:"final_url,omitempty"` // where redirects led
	Outcome     string  `json:"outcome"`             // saved, skipped, not_modified or failed
	Status      int     `json:"status,omitempty"`
	Bytes       int64   `json:"bytes"`
	Resumed     int64   `json:"resumed,omitempty"` // of these, from an earlier run
	Path        string  `json:"path,omitempty"`
	SHA256      string  `json:"sha256,omitempty"`
	ContentType string  `json:"content_type,omitempty"`
	End         string  `json:"end,omitempty"` // length, chunked, close or none
	Attempts    int     `json:"attempts"`
	Reused      bool    `json:"reused"`
	Remote      string  `json:"remote,omitempty"`
	Proxy       string  `json:"proxy,omitempty"`
	Timings     timings `json:"timings"`
	Hops        []hop   `json:"hops,omitempty"` // of redirects
	Error       *failed `json:"error,omitempty"`
}

type timings struct {
	Queue   float64 `json:"queue"`
	Lookup  float64 `json:"lookup"`
	Connect float64 `json:"connect"`
	TLS     float64 `json:"tls"`
	Send    float64 `json:"send"`
	Wait    float64 `json:"wait"`
	Receive float64 `json:"receive"`
	Total   float64 `json:"total"`
}

type hop struct {
	URL     string  `json:"url"`
	Status  int     `json:"status,omitempty"`
	Timings timings `json:"timings"`
}

type failed struct {
	Phase   string `json:"phase"`
	Kind    string `json:"kind"` // of KindOf
	Message string `json:"message"`
}

// RecordOf says what became of a fetch. path is where a name stands.
func RecordOf(res *fetch.Result, err error, path func(name string) string) Record {
	r := Record{
		V:        1,
		URL:      fetch.WithoutUserinfo(res.Request.URL),
		Outcome:  res.Outcome.String(),
		Bytes:    res.Bytes,
		Resumed:  res.Resumed,
		Attempts: res.Attempts,
		Reused:   res.Reused,
		Proxy:    res.Proxy,
		Timings:  timingsOf(res.Timings),
		Error:    failedOf(err),
	}
	r.Line, _ = res.Request.Tag.(int)
	if res.URL != r.URL {
		r.FinalURL = res.URL
	}
	for _, h := range res.Hops {
		r.Hops = append(r.Hops, hop{h.URL, h.Status, timingsOf(h.Timings)})
	}
	if res.Outcome == fetch.Fetched {
		r.Outcome = "saved"
	}
	r.SHA256 = hex.EncodeToString(res.SHA256)
	if res.Outcome != fetch.Failed && res.Name != "" {
		r.Path = path(res.Name)
	}
	if res.Head.Status != 0 {
		r.Status = int(res.Head.Status)
		r.ContentType = res.Head.Get("Content-Type")
		r.End = res.End.String()
	}
	switch {
	case res.Remote.IsValid():
		r.Remote = res.Remote.String()
	case res.UnixSocket != "":
		r.Remote = "unix:" + res.UnixSocket
	}
	return r
}

// AppendRecord appends a record as one line of JSON, with its end. Characters
// of URLs stay as they are: & is not for HTML here.
func AppendRecord(dst []byte, r Record) []byte {
	line := appended(dst)
	e := json.NewEncoder(&line)
	e.SetEscapeHTML(false)
	if err := e.Encode(r); err != nil {
		panic(err) // a record has nothing that JSON cannot say
	}
	return line
}

// appended is a slice to write to.
type appended []byte

func (a *appended) Write(p []byte) (int, error) {
	*a = append(*a, p...)
	return len(p), nil
}

func timingsOf(t fetch.Timings) timings {
	s := time.Duration.Seconds
	return timings{s(t.Queue), s(t.Lookup), s(t.Connect), s(t.TLS), s(t.Send), s(t.Wait), s(t.Receive), s(t.Total)}
}

func failedOf(err error) *failed {
	var e *fetch.Error
	switch {
	case errors.As(err, &e):
		return &failed{e.Phase.String(), KindOf(err), e.Err.Error()}
	case err != nil:
		return &failed{"", KindOf(err), err.Error()}
	}
	return nil
}
