package sim

import (
	"strconv"
	"time"
)

// Response is what a server sends, byte for byte, and what it does then.
type Response struct {
	Pieces []Piece
	Then   End
	Delay  time.Duration // before Then
}

// Piece is bytes that leave some time after the piece before.
type Piece struct {
	Delay time.Duration
	Bytes []byte // not to be changed any more
}

// End is what follows a response.
type End uint8

const (
	Keep  End = iota // the next request is waited for
	FIN              // the connection is closed
	RST              // the connection is reset
	Stall            // nothing is sent any more, and nothing closed
)

var endNames = [...]string{Keep: "keep", FIN: "fin", RST: "rst", Stall: "stall"}

func (e End) String() string { return endNames[e] }

// Raw is a response of exactly these bytes.
func Raw(p []byte) Response { return Response{Pieces: []Piece{{Bytes: p}}} }

// Reply is a response with Content-Length. fields are whole header fields, each
// ended by CR LF, or "".
func Reply(status int, fields string, body []byte) Response {
	head := reply(status, fields, "Content-Length: "+strconv.Itoa(len(body)))
	return Raw(append(head, body...))
}

// ReplyChunked is a response in chunks of at most size bytes.
func ReplyChunked(status int, fields string, body []byte, size int) Response {
	p := reply(status, fields, "Transfer-Encoding: chunked")
	for len(body) > 0 {
		n := min(size, len(body))
		p = strconv.AppendInt(p, int64(n), 16)
		p = append(p, "\r\n"...)
		p = append(p, body[:n]...)
		p = append(p, "\r\n"...)
		body = body[n:]
	}
	return Raw(append(p, "0\r\n\r\n"...))
}

// ReplyUntilClose is a response whose body ends with the connection.
func ReplyUntilClose(status int, fields string, body []byte) Response {
	p := Raw(append(reply(status, fields, "Connection: close"), body...))
	p.Then = FIN
	return p
}

// reply is a head. The reason phrase is left empty (RFC 9112, section 4).
func reply(status int, fields, framing string) []byte {
	return []byte("HTTP/1.1 " + strconv.Itoa(status) + " \r\n" + fields + framing + "\r\n\r\n")
}

// Bytes is all of a response's pieces together.
func (p Response) Bytes() []byte {
	var all []byte
	for _, piece := range p.Pieces {
		all = append(all, piece.Bytes...)
	}
	return all
}
