package socks5

import (
	"fmt"
	"strings"
)

// conversation is one with a proxy: what is asked, all bytes that the proxy
// says, and whether it closes after them.
type conversation struct {
	target Target
	login  *Login
	input  string
	closes bool
}

// run has it with a client, and gives a line for each event. cut says how many
// of the n bytes left come next. Every piece is fed from a buffer of its own,
// which is spoiled as soon as the client has no right to it any more.
func (v conversation) run(cut func(n int) int) string {
	var c Client
	var log strings.Builder
	if err := c.Reset(&v.target, v.login); err != nil {
		return "refused: " + err.Error() + "\n"
	}
	var piece []byte
	for input := v.input; ; {
		kind, err := c.Next()
		switch {
		case err != nil:
			_, again := c.Next()
			fmt.Fprintf(&log, "error: %v\n", err)
			if again != err {
				log.WriteString("and another at the next call\n")
			}
			return log.String()
		case kind == Send:
			fmt.Fprintf(&log, "send %x\n", c.AppendMessage(nil))
		case kind == Done:
			fmt.Fprintf(&log, "done, rest %q\n", string(c.Rest())+input)
			return log.String()
		case input == "" && v.closes:
			v.closes = false
			c.EOF()
		case input == "":
			log.WriteString("wants more\n")
			return log.String()
		default:
			spoil(piece)
			n := cut(len(input))
			piece = []byte(input[:n])
			input = input[n:]
			c.Feed(piece)
		}
	}
}

func spoil(b []byte) {
	for i := range b {
		b[i] = 0xAA
	}
}

func whole(n int) int  { return n }
func oneByOne(int) int { return 1 }

// inPieces cuts pieces of the given lengths, again and again.
func inPieces(lengths []byte) func(n int) int {
	at := 0
	return func(n int) int {
		if len(lengths) == 0 {
			return n
		}
		at++
		return min(n, int(lengths[(at-1)%len(lengths)]%16)+1)
	}
}
