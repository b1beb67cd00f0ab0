package socks5

import (
	"fmt"
	"io"
)

// LimitError says that something is of a length that the protocol cannot carry.
type LimitError struct {
	What  string // "host name", "user name" or "password"
	Bytes int    // its length
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("a %s of %d bytes: SOCKS 5 carries 1 to %d", e.What, e.Bytes, longest)
}

// ProtocolError says that the other end does not speak SOCKS 5, or not well.
type ProtocolError struct{ Reason string }

func (e *ProtocolError) Error() string { return "not an answer of SOCKS 5: " + e.Reason }

func protocolError(format string, args ...any) error {
	return &ProtocolError{fmt.Sprintf(format, args...)}
}

// checkVersion judges the first byte of an answer.
func checkVersion(b byte) error {
	switch b {
	case version:
		return nil
	case 4, 0: // a SOCKS 4 reply begins with 0, its request with 4
		return protocolError("it begins with 0x%02x, as SOCKS 4 does", b)
	case 'H':
		return protocolError("it begins with an H, as HTTP does")
	}
	return protocolError("it begins with 0x%02x", b)
}

// AuthError says that the proxy does not let us in.
type AuthError struct {
	Offered bool // we had a user name and a password to offer
	Refused bool // and the proxy does not take these
}

func (e *AuthError) Error() string {
	switch {
	case e.Refused:
		return "the user name or password is not accepted"
	case e.Offered:
		return "neither no login nor a user name and password is accepted"
	}
	return "a user name and password are wanted, or another login"
}

// ReplyError says why the proxy made no connection.
type ReplyError struct {
	Code byte // RFC 1928 section 6
}

// replies are the codes in words (RFC 1928 section 6).
var replies = [...]string{
	1: "general failure",
	2: "its rules do not allow the connection",
	3: "network unreachable",
	4: "host unreachable",
	5: "connection refused",
	6: "TTL expired",
	7: "it does not know the command CONNECT",
	8: "it does not know this type of address",
}

func (e *ReplyError) Error() string {
	if int(e.Code) < len(replies) && e.Code > 0 {
		return fmt.Sprintf("%s (reply %d)", replies[e.Code], e.Code)
	}
	return fmt.Sprintf("a failure that has no name (reply %d)", e.Code)
}

// TruncatedError says that the proxy closed the connection instead of
// answering. It is an [io.ErrUnexpectedEOF] to errors.Is.
type TruncatedError struct {
	Awaiting string // what was to come
}

// awaited are the answers to come at each stage.
var awaited = [...]string{
	atMethod: "its choice of a login",
	atStatus: "its judgement of the credentials",
	atReply:  "its reply to the request",
}

func (e *TruncatedError) Error() string { return "closed before " + e.Awaiting + " was whole" }

// Unwrap returns [io.ErrUnexpectedEOF].
func (e *TruncatedError) Unwrap() error { return io.ErrUnexpectedEOF }
