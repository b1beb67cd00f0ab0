package sim

import (
	"fmt"
	"math/bits"
	"strings"
	"syscall"
	"time"
)

// call is a kind of line in the log: a system call, or something that happened.
type call uint8

const (
	callClose call = iota
	callSocket
	callSetRecvBuffer
	callBind
	callConnect
	callSocketError
	callConnected
	callSend
	callRecv
	callCloseSocket
	callAdd
	callModify
	callRemove
	callWait
	callEvent
	callOpenDir
	callReadDir
	callCreate
	callReopen
	callWrite
	callSplice
	callRename
	callReplace
	callUnlink
	callCloseFile
	callAt
	callSubmit
	callFinish
	callLookup
	callAccept
	callRequest
	callResponse
	callArrive
	callFin
	callReset
	callViolation
)

var callNames = [...]string{
	callClose:         "close-kernel",
	callSocket:        "socket",
	callSetRecvBuffer: "setsockopt",
	callBind:          "bind",
	callConnect:       "connect",
	callSocketError:   "so-error",
	callConnected:     "connected",
	callSend:          "send",
	callRecv:          "recv",
	callCloseSocket:   "close",
	callAdd:           "add",
	callModify:        "modify",
	callRemove:        "remove",
	callWait:          "wait",
	callEvent:         "  event",
	callOpenDir:       "opendir",
	callReadDir:       "readdir",
	callCreate:        "create",
	callReopen:        "reopen",
	callWrite:         "write",
	callSplice:        "splice",
	callRename:        "rename",
	callReplace:       "replace",
	callUnlink:        "unlink",
	callCloseFile:     "closefile",
	callAt:            "* at",
	callSubmit:        "submit",
	callFinish:        "* finished",
	callLookup:        "* lookup",
	callAccept:        "* accept",
	callRequest:       "* request",
	callResponse:      "* response",
	callArrive:        "* arrive",
	callFin:           "* fin",
	callReset:         "* reset",
	callViolation:     "! violation",
}

func (c call) String() string { return strings.TrimLeft(callNames[c], " *!") }

// line is one line of the log, kept as numbers until somebody reads it.
type line struct {
	at    time.Duration
	call  call
	fd    int   // or the number of a connection, or a count
	n     int   // what the call returned, or a size
	extra int64 // a token, an interest, a checksum, a timeout
	errno syscall.Errno
	text  string
}

// String says "time call subject → result".
func (l line) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%12.6f %-11s %d", l.at.Seconds(), callNames[l.call], l.fd)
	if l.text != "" {
		b.WriteByte(' ')
		b.WriteString(l.text)
	}
	switch l.call {
	case callWait:
		fmt.Fprintf(&b, " timeout %v", time.Duration(l.extra))
	case callEvent, callAdd, callModify:
		fmt.Fprintf(&b, " token %#x", uint64(l.extra))
	}
	fmt.Fprintf(&b, " → %d", l.n)
	if l.errno != 0 {
		fmt.Fprintf(&b, " %v", l.errno)
	}
	return b.String()
}

// log keeps the last lines, and a digest of all.
type log struct {
	keep   int
	lines  []line
	oldest int
	digest uint64
}

// KeepLog says how many lines to keep, the last ones: 0 none, less than 0 all;
// 4,096 from New. It forgets those kept so far.
func (k *Kernel) KeepLog(lines int) {
	k.log.keep, k.log.lines, k.log.oldest = lines, nil, 0
}

// Log is the lines kept, oldest first, each ended by a line feed: the virtual
// time in seconds, the call, the descriptor (for lines with a star, which are
// things that happened and not calls: the number of the connection), arguments,
// and what came back.
func (k *Kernel) Log() string {
	var b strings.Builder
	for i := range k.log.lines {
		at := (k.log.oldest + i) % len(k.log.lines)
		b.WriteString(k.log.lines[at].String())
		b.WriteByte('\n')
	}
	return b.String()
}

// Digest is a hash over every line there was, kept or not. Equal seeds and
// calls give equal digests, on every machine.
func (k *Kernel) Digest() uint64 { return k.log.digest }

// note writes a line.
func (k *Kernel) note(c call, fd, n int, extra int64, err error, text string) {
	l := line{k.now, c, fd, n, extra, errno(err), text}
	k.log.add(l)
}

func (g *log) add(l line) {
	g.mix(uint64(l.at))
	g.mix(uint64(l.call)<<56 ^ uint64(l.errno)<<32 ^ uint64(uint32(l.fd)))
	g.mix(uint64(l.n))
	g.mix(uint64(l.extra))
	for i := range len(l.text) {
		g.mix(uint64(l.text[i]))
	}
	switch {
	case g.keep == 0:
	case g.keep < 0 || len(g.lines) < g.keep:
		g.lines = append(g.lines, l)
	default:
		g.lines[g.oldest] = l
		g.oldest = (g.oldest + 1) % g.keep
	}
}

// mix folds a word into the digest: xor, multiply by an odd constant (that of
// FNV-1a, 64 bits), rotate.
func (g *log) mix(word uint64) {
	g.digest = bits.RotateLeft64((g.digest^word)*0x100000001b3, 29)
}
