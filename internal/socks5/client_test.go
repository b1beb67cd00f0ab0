package socks5

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	byName = Target{Name: "h.test", Port: 443}
	byIPv4 = Target{Address: []byte{192, 0, 2, 7}, Port: 80}
	byIPv6 = Target{Address: []byte("\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x07"), Port: 65535}
	login  = &Login{User: "carp", Password: "net 5"}
)

// What clients say.
const (
	sayGreeting = "send 050100\n"
	sayBoth     = "send 05020002\n"
	sayLogin    = "send 010463617270056e65742035\n"
	sayName     = "send 0501000306682e7465737401bb\n"
	sayIPv4     = "send 05010001c00002070050\n"
	sayIPv6     = "send 0501000420010db8000000000000000000000007ffff\n"
)

// What proxies say.
const (
	selectNone  = "\x05\x00"
	selectLogin = "\x05\x02"
	loginGood   = "\x01\x00"
	granted     = "\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"
)

var conversations = map[string]struct {
	conversation
	expect string
}{
	"a name":           {conversation{target: byName, input: selectNone + granted}, sayGreeting + sayName + "done, rest \"\"\n"},
	"an IPv4 address":  {conversation{target: byIPv4, input: selectNone + granted}, sayGreeting + sayIPv4 + "done, rest \"\"\n"},
	"an IPv6 address":  {conversation{target: byIPv6, input: selectNone + granted}, sayGreeting + sayIPv6 + "done, rest \"\"\n"},
	"a login":          {conversation{target: byIPv4, login: login, input: selectLogin + loginGood + granted}, sayBoth + sayLogin + sayIPv4 + "done, rest \"\"\n"},
	"a login unwanted": {conversation{target: byIPv4, login: login, input: selectNone + granted}, sayBoth + sayIPv4 + "done, rest \"\"\n"},
	"a login without a password": {
		conversation{target: byIPv4, login: &Login{User: "carp"}, input: selectLogin + loginGood + granted},
		sayBoth + "send 01046361727000\n" + sayIPv4 + "done, rest \"\"\n",
	},
	"the target speaks first": {conversation{target: byIPv4, input: selectNone + granted + "220 hello"}, sayGreeting + sayIPv4 + "done, rest \"220 hello\"\n"},
	"an end with an IPv6 address": {
		conversation{target: byIPv4, input: selectNone + "\x05\x00\x00\x04" + strings.Repeat("\x00", 18) + "x"},
		sayGreeting + sayIPv4 + "done, rest \"x\"\n",
	},
	"an end with a name":           {conversation{target: byIPv4, input: selectNone + "\x05\x00\x00\x03\x02ab\x00\x01x"}, sayGreeting + sayIPv4 + "done, rest \"x\"\n"},
	"an end with the longest name": {conversation{target: byIPv4, input: selectNone + "\x05\x00\x00\x03\xff" + strings.Repeat("n", 257) + "x"}, sayGreeting + sayIPv4 + "done, rest \"x\"\n"},
	"an end with an empty name":    {conversation{target: byIPv4, input: selectNone + "\x05\x00\x00\x03\x00\x00\x01x"}, sayGreeting + sayIPv4 + "done, rest \"x\"\n"},
	"a reserved byte":              {conversation{target: byIPv4, input: selectNone + "\x05\x00\x07\x01" + strings.Repeat("\x00", 6)}, sayGreeting + sayIPv4 + "done, rest \"\"\n"},

	"HTTP":                       {conversation{target: byIPv4, input: "HTTP/1.1 400 Bad Request\r\n"}, sayGreeting + "error: not an answer of SOCKS 5: it begins with an H, as HTTP does\n"},
	"SOCKS 4":                    {conversation{target: byIPv4, input: "\x00\x5b"}, sayGreeting + "error: not an answer of SOCKS 5: it begins with 0x00, as SOCKS 4 does\n"},
	"something else":             {conversation{target: byIPv4, input: "SSH-2.0"}, sayGreeting + "error: not an answer of SOCKS 5: it begins with 0x53\n"},
	"no method without a login":  {conversation{target: byIPv4, input: "\x05\xff"}, sayGreeting + "error: a user name and password are wanted, or another login\n"},
	"no method with a login":     {conversation{target: byIPv4, login: login, input: "\x05\xff"}, sayBoth + "error: neither no login nor a user name and password is accepted\n"},
	"a login that nobody has":    {conversation{target: byIPv4, input: selectLogin}, sayGreeting + "error: not an answer of SOCKS 5: it selects the method 0x02, which was not offered\n"},
	"GSSAPI, which nobody asked": {conversation{target: byIPv4, login: login, input: "\x05\x01"}, sayBoth + "error: not an answer of SOCKS 5: it selects the method 0x01, which was not offered\n"},
	"a login refused":            {conversation{target: byIPv4, login: login, input: selectLogin + "\x01\x01"}, sayBoth + sayLogin + "error: the user name or password is not accepted\n"},
	"a status of version 5":      {conversation{target: byIPv4, login: login, input: selectLogin + "\x05\x00"}, sayBoth + sayLogin + "error: not an answer of SOCKS 5: its answer to the credentials begins with 0x05\n"},
	"a reply of version 4":       {conversation{target: byIPv4, input: selectNone + "\x04"}, sayGreeting + sayIPv4 + "error: not an answer of SOCKS 5: it begins with 0x04, as SOCKS 4 does\n"},
	"an unknown address type":    {conversation{target: byIPv4, input: selectNone + "\x05\x00\x00\x02\x00"}, sayGreeting + sayIPv4 + "error: not an answer of SOCKS 5: its reply has an address of the unknown type 0x02\n"},
	"a short refusal":            {conversation{target: byIPv4, input: selectNone + "\x05\x05"}, sayGreeting + sayIPv4 + "error: connection refused (reply 5)\n"},
	"a whole refusal":            {conversation{target: byIPv4, input: selectNone + "\x05\x02\x00\x01\x00\x00\x00\x00\x00\x00"}, sayGreeting + sayIPv4 + "error: its rules do not allow the connection (reply 2)\n"},

	"closed at once":              {conversation{target: byIPv4, closes: true}, sayGreeting + "error: closed before its choice of a login was whole\n"},
	"closed within the method":    {conversation{target: byIPv4, input: "\x05", closes: true}, sayGreeting + "error: closed before its choice of a login was whole\n"},
	"closed instead of a status":  {conversation{target: byIPv4, login: login, input: selectLogin, closes: true}, sayBoth + sayLogin + "error: closed before its judgement of the credentials was whole\n"},
	"closed within the reply":     {conversation{target: byIPv4, input: selectNone + granted[:9], closes: true}, sayGreeting + sayIPv4 + "error: closed before its reply to the request was whole\n"},
	"closed after the reply":      {conversation{target: byIPv4, input: selectNone + granted, closes: true}, sayGreeting + sayIPv4 + "done, rest \"\"\n"},
	"nothing yet":                 {conversation{target: byIPv4}, sayGreeting + "wants more\n"},
	"a name that is too long":     {conversation{target: Target{Name: strings.Repeat("n", 256)}}, "refused: a host name of 256 bytes: SOCKS 5 carries 1 to 255\n"},
	"a user that is too long":     {conversation{target: byName, login: &Login{User: strings.Repeat("u", 256)}}, "refused: a user name of 256 bytes: SOCKS 5 carries 1 to 255\n"},
	"no user":                     {conversation{target: byName, login: &Login{Password: "p"}}, "refused: a user name of 0 bytes: SOCKS 5 carries 1 to 255\n"},
	"a password that is too long": {conversation{target: byName, login: &Login{"u", strings.Repeat("p", 256)}}, "refused: a password of 256 bytes: SOCKS 5 carries 1 to 255\n"},
}

func TestConversations(t *testing.T) {
	for name, c := range conversations {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.expect, c.run(whole), "whole")
			require.Equal(t, c.expect, c.run(oneByOne), "byte by byte")
			require.Equal(t, c.expect, c.run(inPieces([]byte{2, 0, 4})), "in pieces")
			granted, done := strings.CutSuffix(c.expect, "\"\n")
			if followed := c.conversation; done && strings.Contains(granted, "done") {
				followed.input += "more"
				require.Equal(t, granted+"more\"\n", followed.run(whole), "with trailing bytes")
				require.Equal(t, granted+"more\"\n", followed.run(oneByOne), "with trailing bytes, byte by byte")
			}
		})
	}
}

// TestLongestOfEach: what is as long as it may be goes out whole.
func TestLongestOfEach(t *testing.T) {
	v := conversation{
		target: Target{Name: strings.Repeat("n", 255), Port: 1},
		login:  &Login{strings.Repeat("u", 255), strings.Repeat("p", 255)},
		input:  selectLogin + loginGood + granted,
	}
	expect := sayBoth + "send 01ff" + strings.Repeat("75", 255) + "ff" + strings.Repeat("70", 255) + "\n" +
		"send 05010003ff" + strings.Repeat("6e", 255) + "0001\ndone, rest \"\"\n"
	require.Equal(t, expect, v.run(whole))
}

// TestReplies has every code there is, and the ones after the last.
func TestReplies(t *testing.T) {
	seen := map[string]bool{}
	for code := 1; code < 256; code++ {
		v := conversation{target: byIPv4, input: selectNone + "\x05" + string([]byte{byte(code)})}
		text := v.run(whole)
		require.Equal(t, code > 8, strings.Contains(text, "no name"), text)
		require.False(t, seen[text])
		seen[text] = true
	}
}

func TestErrorTypes(t *testing.T) {
	require.ErrorIs(t, &TruncatedError{}, io.ErrUnexpectedEOF)
	var c Client
	require.NoError(t, c.Reset(&byIPv4, nil))
	_, _ = c.Next()
	c.Feed([]byte(selectNone + "\x05\x04"))
	_, err := c.Next()
	require.NoError(t, err)
	_, err = c.Next()
	reply, ok := errors.AsType[*ReplyError](err)
	require.True(t, ok)
	require.Equal(t, byte(4), reply.Code)
}

// TestMisuse: a mistake in the program does not look like one of the proxy.
func TestMisuse(t *testing.T) {
	begun := func() *Client {
		c := new(Client)
		require.NoError(t, c.Reset(&byIPv4, nil))
		_, err := c.Next()
		require.NoError(t, err)
		return c
	}
	for name, misuse := range map[string]func(){
		"Feed before Reset":               func() { new(Client).Feed(nil) },
		"Next before Reset":               func() { _, _ = new(Client).Next() },
		"no address":                      func() { _ = new(Client).Reset(&Target{}, nil) },
		"an address of neither length":    func() { _ = new(Client).Reset(&Target{Address: make([]byte, 5)}, nil) },
		"AppendMessage without a Send":    func() { c := begun(); _, _ = c.Next(); c.AppendMessage(nil) },
		"Feed before all is used up":      func() { c := begun(); c.Feed([]byte("\x05")); c.Feed([]byte("\x00")) },
		"Feed after EOF":                  func() { c := begun(); c.EOF(); c.Feed([]byte("\x05")) },
		"Feed after an error":             func() { c := begun(); c.Feed([]byte("x")); _, _ = c.Next(); c.Feed([]byte("\x05")) },
		"Feed after the connection stood": func() { c := stood(t); c.Feed([]byte("x")) },
	} {
		require.Panics(t, misuse, name)
	}
}

// stood is a client that has done its work.
func stood(t *testing.T) *Client {
	t.Helper()
	c := new(Client)
	require.NoError(t, c.Reset(&byIPv4, nil))
	for _, piece := range []string{"", selectNone, granted} {
		if piece != "" {
			c.Feed([]byte(piece))
		}
		_, err := c.Next()
		require.NoError(t, err)
		_, err = c.Next()
		require.NoError(t, err)
	}
	kind, err := c.Next()
	require.NoError(t, err)
	require.Equal(t, Done, kind)
	return c
}

func TestNothingIsAllocated(t *testing.T) {
	c, buf := new(Client), make([]byte, 0, 600)
	input := []byte(selectLogin + loginGood + granted)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if err := c.Reset(&byName, login); err != nil {
			t.Fatal(err)
		}
		for left := input; ; {
			kind, err := c.Next()
			switch {
			case err != nil:
				t.Fatal(err)
			case kind == Done:
				return
			case kind == Send:
				c.AppendMessage(buf)
			default:
				c.Feed(left[:1])
				left = left[1:]
			}
		}
	}))
}

// FuzzCuts cuts what a proxy says anywhere: what is made of it is the same.
func FuzzCuts(f *testing.F) {
	for _, c := range conversations {
		f.Add(c.input, []byte{0, 3}, c.login != nil, c.closes)
	}
	f.Fuzz(func(t *testing.T, input string, cuts []byte, loggedIn, closes bool) {
		v := conversation{target: byName, input: input, closes: closes}
		if loggedIn {
			v.login = login
		}
		want := v.run(whole)
		require.Equal(t, want, v.run(oneByOne))
		require.Equal(t, want, v.run(inPieces(cuts)))
	})
}
