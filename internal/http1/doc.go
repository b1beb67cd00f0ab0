// Package http1 reads HTTP/1.x responses and writes the heads of requests
// (RFC 9110, RFC 9112). It does no input or output: bytes are fed to a
// [Parser], events are pulled from it.
//
//	p.Reset("GET", nil)
//	for {
//		p.Feed(read())                       // or p.EOF()
//		for kind, err := p.Next(); kind != http1.NeedData; kind, err = p.Next() {
//			switch {
//			case err != nil:             // for good
//			case kind == http1.Final:    // p.Head(), p.Framing()
//			case kind == http1.Body:     // p.Data()
//			case kind == http1.Done:     // p.KeepAlive()
//			}
//		}
//	}
//
// What the parser finds does not depend on how the bytes were cut. A head that
// comes in one piece costs one allocation, its own string; a body costs none
// and is never copied. The parser holds bytes only while a head or a trailer is
// split, looks for the end of a line in new bytes only, and is bounded in all
// by [Limits].
//
// # Every doubtful case
//
// A response that two programs could read in two ways is refused wherever the
// wrong way could take the bytes of one response for those of another. What is
// merely untidy is read. The files in testdata show each case with its bytes.
//
// Lines and the status line:
//
//	input                             what we do    why
//	bare LF ends a line of a head     accept        9112, 2.2 allows it; old servers do it
//	bare CR anywhere in a head        refuse        9112, 2.2: invalid; some take it for a line end
//	NUL and other controls, but HTAB  refuse        9110, 5.5: dangerous
//	bytes of 0x80 and more in values  accept        9110, 5.5: obs-text, opaque
//	empty line before the status      refuse        9112, 2.2 excuses it in requests only; may be
//	                                                the end of another response
//	anything else before HTTP/        refuse        at the first wrong byte: another protocol, HTTP/0.9
//	HTTP/0.9, HTTP/2.0, HTTP/1.10     refuse        9112, 2.3: one digit each; other major versions
//	                                                are other protocols
//	http/1.1                          refuse        9112, 2.3: case-sensitive
//	HTTP/1.2 to HTTP/1.9              as 1.1        9110, 2.5: minor versions are compatible
//	no reason, no space before it     accept        9112, 4: has no meaning; common
//	other spaces in the status line   refuse        9112, 4: one space each
//	status code not of three digits   refuse        9112, 4
//	status code 000 to 099            refuse        9110, 15: no class, so no known framing
//	status code 600 to 999            accept        9110, 15: framed like any final one; in use
//
// Fields:
//
//	no colon, empty name              refuse        9112, 5: not a field
//	whitespace in or after the name   refuse        9112, 5.1: smuggles fields past others
//	line folding                      one space     9112, 5.2: a user agent must; Raw keeps it
//	folded framing field              refuse        whoever ignores the fold reads another length
//	folding with whitespace only      refuse        some take it for the end of the head
//	whitespace before the first field refuse        9112, 2.2 allows that, or dropping lines
//
// The end of the body, in the order of RFC 9112, 6.3:
//
//	CONNECT with 2xx                  none          framing fields ignored, right or wrong: a must;
//	                                                Rest is the tunnel's
//	1xx                               none          up to Limits.Interims of them
//	1xx that announces a body         refuse        the body and the next head could change places
//	101                               refuse        we ask for no upgrade (9110, 15.2.2)
//	HEAD, 204, 304                    none          whatever the head says
//	204 with a length above 0, or     none          no reuse of the connection: the server thinks
//	chunked                                         there is a body (9110, 8.6)
//	205                               as framed     9110, 15.3.6: nothing of its own
//	both Transfer-Encoding and length chunked       9112, 6.3: must win; no reuse, as it may be an
//	                                                attempt at smuggling
//	Transfer-Encoding from HTTP/1.0   refuse        9112, 6.1: faulty framing; some read chunks,
//	                                                some until close
//	any coding but one chunked        refuse        9112, 6.1: we offer none (TE) and take none off
//	chunked, chunked                  refuse        9112, 6.1: forbidden
//	Content-Length: 5, 5, or twice    accept        9112, 6.3: equal values are one
//	values that disagree              refuse        9112, 6.3: a must
//	+5, -5, 0x5, 5.0, empty, "5,"     refuse        9110, 8.6: digits
//	005                               5             9110, 8.6: digits, decimal
//	9223372036854775808 and more      refuse        9110, 8.6: beware of overflow
//	no framing at all                 until close   9112, 6.3; cannot be told from a cut
//	faulty framing of a HEAD, 204,    refuse        the same rules everywhere but for CONNECT
//	304
//
// Chunks (RFC 9112, 7.1):
//
//	bare LF or CR for CR LF           refuse        9112, 2.2 allows LF in heads only; here it
//	                                                smuggles
//	size with a sign, 0x, _, or none  refuse        7.1: hexadecimal digits
//	size above 63 bits, 17 digits     refuse        7.1: beware of overflow
//	whitespace before the size        refuse        7.1
//	whitespace after the size         accept        some servers pad it
//	extensions                        skip          7.1.1: none is known; bounded by
//	                                                Limits.ChunkOverhead
//	CR LF within a quoted extension   refuse        is the line at its end, or not?
//	no CR LF after the content        refuse        the size was wrong: where is the next?
//	trailer fields                    apart         9110, 6.5.1: never merged into the head
//	framing fields in the trailer     refuse        9110, 6.5.1; may be the head of another response
//	bare LF in the trailer            refuse        it is the end of a chunked body
//
// The server closes:
//
//	before the first byte             [ErrNoResponse]
//	in a head, in a body whose end    [TruncatedError], with what came and what was due
//	is known, in a trailer
//	after the last chunk, before      [TruncatedError]: whether fields are missing
//	the empty line                    cannot be told
//	in a body until close             the end
//
// Reuse of the connection ([Parser.KeepAlive], RFC 9112, 9.3) also needs that
// no byte came after the response: even an empty line is not ours. Of close and
// keep-alive together close wins; what a 1xx or a trailer says of the
// connection means nothing.
package http1
