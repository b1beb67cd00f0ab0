package fetch

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"golang.org/x/net/http/httpguts"

	"github.com/shoalfetch/shoal/internal/decode"
)

// smallBody is how long the body of a request may be, in bytes, that is read
// before it is sent and so can be sent again, if it is in memory.
const smallBody = 64 << 10

// requestFor puts the request of a round trip into the engine's terms: the bytes
// that net/http itself would send. Its body is closed, whatever happens: here, or
// when the round trip is over.
func (t *Transport) requestFor(rt *roundTrip) (Request, error) {
	r := rt.request
	if err := checkHTTPRequest(r); err != nil {
		if r.Body != nil {
			r.Body.Close()
		}
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
	q := Request{URL: targetURL(r.URL), Method: r.Method, Encoded: !decoded}
	if r.Body != nil && r.Body != http.NoBody {
		out.Body = newClosedOnce(r.Body)
		if r.GetBody == nil || r.ContentLength <= 0 || r.ContentLength > smallBody {
			var err error
			q.Raw, q.upload, err = t.writeBeside(rt, out)
			return q, err
		}
		defer out.Body.Close()
	}
	var text bytes.Buffer
	if err := t.write(out, &text); err != nil {
		return Request{}, cmp.Or(r.Context().Err(), err)
	}
	q.Raw = text.Bytes()
	if end := headEnd(q.Raw); end < len(q.Raw) {
		q.Raw, q.Body = q.Raw[:end:end], q.Raw[end:]
	}
	return q, nil
}

// headEnd is how long the head of a request is, or less than 4 when it is not
// whole.
func headEnd(text []byte) int { return bytes.Index(text, []byte("\r\n\r\n")) + len("\r\n\r\n") }

// write writes a request as whoever gets it first wants it: a server, or a proxy
// that forwards it (RFC 9112 section 3.2.2).
func (t *Transport) write(r *http.Request, to io.Writer) error {
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
