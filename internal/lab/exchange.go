package lab

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// exchange is one request and its answer. An endpoint writes the answer; it
// leaves keep as it is when the client can tell where the answer ends.
type exchange struct {
	*conn
	*request
	what content // what the endpoint serves in its way
	rest string  // the path of that content
	args map[string]int64
	nth  int  // which request of this connection it is, from 1
	keep bool // the connection goes on after the answer
}

// fields are header fields: name, value, name, value.
type fields []string

// serve answers requests until an answer or the client ends the connection.
func (s *Server) serve(c *conn) {
	for nth := 1; c.err == nil; nth++ {
		r, err := c.next()
		if err != nil {
			c.refuse(err)
			return
		}
		s.stats.requests.Add(1)
		s.log.add(c.id, Requested, 0, "%.200q", r.method+" "+r.target+" "+r.version)
		x := &exchange{conn: c, request: r, nth: nth, keep: r.keeps()}
		sent, writes := c.sent, c.writes
		x.route()
		s.log.add(c.id, Sent, c.sent-sent, "sent %d bytes in %d writes", c.sent-sent, c.writes-writes)
		if !x.keep {
			return
		}
	}
}

// next waits for a request, though not for ever.
func (c *conn) next() (*request, error) {
	timer := time.AfterFunc(idleTimeout, func() { c.tcp.Close() })
	r, err := readRequest(c.in)
	if !timer.Stop() {
		c.ending = fmt.Sprintf("the lab closed, as no request came in %v,", idleTimeout)
	}
	return r, err
}

// refuse answers what was no request.
func (c *conn) refuse(err error) {
	var status int
	switch {
	case errors.Is(err, errHead):
		status = 431
	case errors.Is(err, errBody):
		status = 413
	case errors.Is(err, errLine):
		status = 400
	default:
		c.fail(err)
		return
	}
	x := &exchange{conn: c, request: &request{}}
	x.text(status, err.Error()+"\n")
}

// respond sends a whole answer whose length is told.
func (x *exchange) respond(status int, f fields, body []byte) {
	x.head(status, append(f, "Content-Length", strconv.Itoa(len(body))))
	x.body(body)
}

// text answers with plain text.
func (x *exchange) text(status int, text string) {
	x.respond(status, fields{"Content-Type", "text/plain; charset=utf-8"}, []byte(text))
}

// head sends the status line and the fields; HTTP/0.9 knows neither.
func (x *exchange) head(status int, f fields) bool {
	if x.version == "HTTP/0.9" {
		return x.err == nil
	}
	return x.send(x.headOf(status, f))
}

// headOf is a head: what every answer has, then the fields.
func (x *exchange) headOf(status int, f fields) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\nServer: shoal-lab\r\n", status, http.StatusText(status))
	if !x.keep {
		b.WriteString("Connection: close\r\n")
	} else if x.version == "HTTP/1.0" {
		b.WriteString("Connection: keep-alive\r\n")
	}
	for i := 0; i < len(f); i += 2 {
		b.WriteString(f[i] + ": " + f[i+1] + "\r\n")
	}
	b.WriteString("\r\n")
	return []byte(b.String())
}

// about are the fields that describe the content.
func (x *exchange) about() fields { return fields{"Content-Type", x.what.kind} }

// whole are those fields and the length: the head of an honest answer.
func (x *exchange) whole() fields {
	return append(x.about(), "Content-Length", strconv.Itoa(len(x.what.body)))
}

// body sends a piece of the body. An answer to HEAD has none, so that body
// then says, as it does of a client that has gone, that there is no more to do.
func (x *exchange) body(p []byte) bool { return x.method != "HEAD" && x.send(p) }

// pieces sends a body in pieces, one write each, with a pause between.
func (x *exchange) pieces(p []byte, size int, pause time.Duration) bool {
	return x.method != "HEAD" && x.sendPieces(p, size, pause)
}

// sendPieces does the same with bytes that are sent to HEAD, too.
func (x *exchange) sendPieces(p []byte, size int, pause time.Duration) bool {
	for len(p) > 0 {
		n := min(size, len(p))
		if !x.send(p[:n]) {
			return false
		}
		if p = p[n:]; len(p) > 0 && !x.pause(pause) {
			return false
		}
	}
	return true
}

// last makes this the connection's last answer. Before the head it is told in
// a field; after it, it comes unannounced.
func (x *exchange) last() { x.keep = false }

// hangUp ends with FIN, drop with RST, whatever was promised.
func (x *exchange) hangUp() { x.last(); x.finish() }
func (x *exchange) drop()   { x.last(); x.reset() }

// hang does nothing more until the client goes.
func (x *exchange) hang() { x.last(); x.waitForClient() }

// size and wait are the numbers of the query, see param.
func (x *exchange) size(name string) int { return int(x.number(name)) }
func (x *exchange) wait(name string) time.Duration {
	return time.Duration(x.number(name)) * time.Millisecond
}

func (x *exchange) number(name string) int64 {
	n, ok := x.args[name]
	if !ok {
		panic("lab: an endpoint asks for a number it does not declare: " + name)
	}
	return n
}
