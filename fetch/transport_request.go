package fetch

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"golang.org/x/net/http/httpguts"

	"github.com/shoalfetch/shoal/internal/decode"
)

// requestBodyMost is how long the body of a Transport's request may be, in bytes.
const requestBodyMost = 64 << 20

var errRequestBody = &LimitError{"bytes of a request's body", requestBodyMost}

// requestFor puts a request of net/http into the engine's terms: the bytes that
// net/http itself would send. Its body is read and closed, whatever happens.
func (t *Transport) requestFor(r *http.Request) (Request, error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	if err := checkHTTPRequest(r); err != nil {
		return Request{}, err
	}
	body, err := readBody(r)
	if err != nil {
		return Request{}, err
	}
	out := r.WithContext(r.Context()) // a copy: a RoundTripper leaves the request alone
	out.Header = r.Header.Clone()
	decoded := t.decodes(r)
	if decoded {
		out.Header.Set(acceptEncoding, decode.Accepted)
	}
	if _, given := out.Header["User-Agent"]; !given {
		out.Header.Set("User-Agent", t.options.UserAgent)
	}
	setBody(out, body)
	var text bytes.Buffer
	if err := t.write(out, &text); err != nil {
		return Request{}, err
	}
	head := bytes.Index(text.Bytes(), []byte("\r\n\r\n")) + len("\r\n\r\n")
	return Request{
		URL:     targetURL(r.URL),
		Method:  r.Method,
		Raw:     text.Bytes()[:head:head],
		Body:    text.Bytes()[head:],
		Encoded: !decoded,
	}, nil
}

// write writes a request as whoever gets it first wants it: a server, or a proxy
// that forwards it (RFC 9112 section 3.2.2).
func (t *Transport) write(r *http.Request, to *bytes.Buffer) error {
	p, err := t.forwarder(r.URL)
	switch {
	case err != nil:
		return err
	case p.kind == noProxy:
		return r.Write(to)
	}
	if credentials := p.authorization(); credentials != "" {
		r.Header.Set("Proxy-Authorization", credentials)
	}
	return r.WriteProxy(to)
}

// forwarder is the proxy that forwards what goes to a URL, if there is one.
func (t *Transport) forwarder(u *url.URL) (proxy, error) {
	if t.options.Proxy == nil || u.Scheme != "http" {
		return proxy{}, nil
	}
	at, err := t.options.Proxy(u)
	if err != nil || at == nil {
		return proxy{}, err
	}
	p, err := proxyOf(at)
	if p.isSOCKS() {
		return proxy{}, err
	}
	return p, err
}

// decodes says whether the response to a request is decoded: not if the request
// itself says which codings it knows, nor if it is for a part, or for a head.
func (t *Transport) decodes(r *http.Request) bool {
	return t.options.Decode && r.Method != http.MethodHead && r.Header.Get(acceptEncoding) == "" && r.Header.Get("Range") == ""
}

// targetURL is where a request goes, without what is never sent.
func targetURL(u *url.URL) string {
	to := *u
	to.User, to.Fragment, to.RawFragment = nil, "", ""
	if to.Opaque != "" {
		to.Opaque, to.Path = "", "/"
	}
	return to.String()
}

// checkHTTPRequest refuses what net/http's Transport does.
func checkHTTPRequest(r *http.Request) error {
	switch {
	case r.URL == nil:
		return errors.New("fetch: the request has no URL")
	case r.Header == nil:
		return errors.New("fetch: the request has no Header")
	case r.URL.Host == "":
		return errNoHost
	}
	for _, section := range []http.Header{r.Header, r.Trailer} {
		for name, values := range section {
			if !httpguts.ValidHeaderFieldName(name) {
				return fmt.Errorf("fetch: %q is not the name of a header field", name)
			}
			for _, value := range values {
				if !httpguts.ValidHeaderFieldValue(value) {
					return fmt.Errorf("fetch: the value of the field %s has a control character", name)
				}
			}
		}
	}
	return nil
}

// readBody reads a request's body, until its context ends.
func readBody(r *http.Request) ([]byte, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	if r.ContentLength > requestBodyMost {
		return nil, errRequestBody
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, requestBodyMost+1))
	switch {
	case r.Context().Err() != nil:
		return nil, r.Context().Err()
	case err != nil:
		return nil, err
	case len(body) > requestBodyMost:
		return nil, errRequestBody
	}
	return body, nil
}

// setBody gives a request a body that has been read. One whose length was not
// said goes out in chunks, as it would have; one of no bytes does not unless its
// method expects a body.
func setBody(r *http.Request, body []byte) {
	switch {
	case r.Body == nil || r.Body == http.NoBody:
		return
	case r.ContentLength > 0:
	case len(body) > 0:
		r.ContentLength, r.TransferEncoding = -1, []string{"chunked"}
	case expectsBody(r.Method):
		r.ContentLength = -1
	default:
		r.Body, r.ContentLength = http.NoBody, 0
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
}
