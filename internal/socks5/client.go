package socks5

// Kind says what [Client.Next] has found.
type Kind uint8

// The kinds of event.
const (
	NeedData Kind = iota // all fed bytes are used up: Feed more, or EOF
	Send                 // AppendMessage has what goes to the proxy next
	Done                 // the connection to the target stands; Rest has its first bytes
)

// String returns the kind in lower case.
func (k Kind) String() string { return [...]string{"need data", "send", "done"}[k] }

// Client makes one connection through a proxy. It needs [Client.Reset] before
// anything else, and is not safe for concurrent use.
type Client struct {
	target *Target
	login  *Login // nil: none is offered
	fed    []byte // what Feed lent, from the first byte not consumed
	err    error

	reply   [longestReply]byte // what has come of the current one
	have    int
	stage   stage
	message message
	closed  bool
}

// stage is where the conversation stands.
type stage uint8

const (
	unset stage = iota
	toGreet
	atMethod
	atStatus
	atReply
	complete
)

// longestReply is one whose address is a name of 255 bytes (RFC 1928 section 6).
const longestReply = 4 + 1 + 255 + 2

// Reset makes the client ready to ask for a target, and forgets everything from
// before. Both are borrowed until Done; login is nil if there are no
// credentials. A [*LimitError] says that the protocol cannot carry one of them.
func (c *Client) Reset(target *Target, login *Login) error {
	*c = Client{}
	if err := target.check(); err != nil {
		return err
	}
	if err := login.check(); err != nil {
		return err
	}
	c.target, c.login, c.stage = target, login, toGreet
	return nil
}

// Feed lends the client the next bytes from the proxy, until Next says NeedData
// or returns an error. It panics if earlier bytes are not used up, and after
// Done, EOF or an error.
func (c *Client) Feed(b []byte) {
	switch {
	case c.stage == unset:
		panic("socks5: Feed before Reset")
	case c.stage == complete || c.err != nil || c.closed:
		panic("socks5: Feed after the end")
	case len(c.fed) > 0:
		panic("socks5: Feed before the last bytes are used up")
	}
	c.fed = b
}

// EOF says that the proxy has closed: after what was fed nothing more comes.
func (c *Client) EOF() { c.closed = true }

// Next returns the next event. After an error every call returns the same
// error, and the Kind means nothing; after Done every call returns Done.
func (c *Client) Next() (Kind, error) {
	if c.stage == unset {
		panic("socks5: Next before Reset")
	}
	c.message = nothing
	if c.err != nil {
		return NeedData, c.err
	}
	kind, err := c.step()
	if err != nil {
		c.err, c.fed = err, nil
	}
	return kind, err
}

func (c *Client) step() (Kind, error) {
	switch c.stage {
	case toGreet:
		return c.say(greeting, atMethod)
	case atMethod:
		return c.readMethod()
	case atStatus:
		return c.readStatus()
	case atReply:
		return c.readReply()
	}
	return Done, nil
}

// say has a message sent, and turns to what is expected then.
func (c *Client) say(m message, next stage) (Kind, error) {
	c.message, c.stage, c.have = m, next, 0
	return Send, nil
}

// readMethod reads which way to log in the proxy selects (RFC 1928 section 3).
func (c *Client) readMethod() (Kind, error) {
	if !c.gather(1) {
		return c.starved()
	}
	if err := checkVersion(c.reply[0]); err != nil {
		return NeedData, err
	}
	if !c.gather(2) {
		return c.starved()
	}
	switch method := c.reply[1]; {
	case method == methodNone:
		return c.say(request, atReply)
	case method == methodPassword && c.login != nil:
		return c.say(credentials, atStatus)
	case method == methodRefused:
		return NeedData, &AuthError{Offered: c.login != nil}
	default:
		return NeedData, protocolError("it selects the method 0x%02x, which was not offered", method)
	}
}

// readStatus reads what the proxy thinks of the credentials (RFC 1929 section 2).
func (c *Client) readStatus() (Kind, error) {
	switch {
	case !c.gather(1):
		return c.starved()
	case c.reply[0] != passwordVersion:
		return NeedData, protocolError("its answer to the credentials begins with 0x%02x", c.reply[0])
	case !c.gather(2):
		return c.starved()
	case c.reply[1] != 0:
		return NeedData, &AuthError{Offered: true, Refused: true}
	}
	return c.say(request, atReply)
}

// readReply reads whether the target could be reached (RFC 1928 section 6).
func (c *Client) readReply() (Kind, error) {
	if !c.gather(1) {
		return c.starved()
	}
	if err := checkVersion(c.reply[0]); err != nil {
		return NeedData, err
	}
	switch {
	case !c.gather(2):
		return c.starved()
	case c.reply[1] != 0:
		return NeedData, &ReplyError{Code: c.reply[1]}
	case !c.gather(5):
		return c.starved()
	}
	length, err := replyLength(c.reply[3], c.reply[4])
	switch {
	case err != nil:
		return NeedData, err
	case !c.gather(length):
		return c.starved()
	}
	c.stage = complete
	return Done, nil
}

// replyLength is the length of a whole reply, from its address type and the
// first byte of its address, which may be a length (RFC 1928 section 5).
func replyLength(kind, first byte) (int, error) {
	const before, port = 4, 2
	switch kind {
	case typeIPv4:
		return before + 4 + port, nil
	case typeIPv6:
		return before + 16 + port, nil
	case typeName:
		return before + 1 + int(first) + port, nil
	}
	return 0, protocolError("its reply has an address of the unknown type 0x%02x", kind)
}

// gather takes bytes until there are n of the current reply.
func (c *Client) gather(n int) bool {
	if c.have < n {
		took := copy(c.reply[c.have:n], c.fed)
		c.have += took
		c.fed = c.fed[took:]
	}
	return c.have >= n
}

// starved asks for more bytes, or says what it means that there are none.
func (c *Client) starved() (Kind, error) {
	if c.closed {
		return NeedData, &TruncatedError{Awaiting: awaited[c.stage]}
	}
	return NeedData, nil
}

// Rest returns the bytes fed and not yet consumed, as they were lent. After Done
// these are the first ones of the target.
func (c *Client) Rest() []byte { return c.fed }
