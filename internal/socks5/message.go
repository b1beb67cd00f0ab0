package socks5

import "encoding/binary"

// Target is what a connection is asked for to.
type Target struct {
	// Name is the host's name, 1 to 255 bytes, for the proxy to look up.
	Name string
	// Address is its address instead, 4 or 16 bytes, when Name is empty.
	Address []byte
	// Port is its port.
	Port uint16
}

// Login is what a proxy may want to know of its client.
type Login struct {
	User     string // 1 to 255 bytes
	Password string // at most 255 bytes; RFC 1929 wants one, but there are users without
}

// Numbers of the protocol (RFC 1928 sections 3 to 5, RFC 1929 section 2).
const (
	version         = 5
	passwordVersion = 1
	commandConnect  = 1

	methodNone     = 0x00
	methodPassword = 0x02
	methodRefused  = 0xFF

	typeIPv4 = 1
	typeName = 3
	typeIPv6 = 4
)

// longest is what a length of one byte can say.
const longest = 255

func (t *Target) check() error {
	switch {
	case t.Name == "" && len(t.Address) != 4 && len(t.Address) != 16:
		panic("socks5: a target has a name, or an address of 4 or 16 bytes")
	case len(t.Name) > longest:
		return &LimitError{"host name", len(t.Name)}
	}
	return nil
}

func (l *Login) check() error {
	switch {
	case l == nil:
		return nil
	case l.User == "" || len(l.User) > longest:
		return &LimitError{"user name", len(l.User)}
	case len(l.Password) > longest:
		return &LimitError{"password", len(l.Password)}
	}
	return nil
}

// message is what a client says.
type message uint8

const (
	nothing message = iota
	greeting
	credentials
	request
)

// AppendMessage appends what the last Send event was about to dst, at most 513
// bytes. It panics if there was none, or Next has been called since.
func (c *Client) AppendMessage(dst []byte) []byte {
	switch c.message {
	case greeting:
		return c.appendGreeting(dst)
	case credentials:
		dst = append(dst, passwordVersion)
		dst = appendText(dst, c.login.User)
		return appendText(dst, c.login.Password)
	case request:
		dst = append(dst, version, commandConnect, 0)
		return c.target.append(dst)
	}
	panic("socks5: AppendMessage without a Send")
}

// appendGreeting appends the ways to log in that the proxy may select from.
func (c *Client) appendGreeting(dst []byte) []byte {
	if c.login == nil {
		return append(dst, version, 1, methodNone)
	}
	return append(dst, version, 2, methodNone, methodPassword)
}

func (t *Target) append(dst []byte) []byte {
	switch {
	case t.Name != "":
		dst = appendText(append(dst, typeName), t.Name)
	case len(t.Address) == 4:
		dst = append(append(dst, typeIPv4), t.Address...)
	default:
		dst = append(append(dst, typeIPv6), t.Address...)
	}
	return binary.BigEndian.AppendUint16(dst, t.Port)
}

// appendText appends a text behind its length.
func appendText(dst []byte, text string) []byte {
	return append(append(dst, byte(len(text))), text...)
}
