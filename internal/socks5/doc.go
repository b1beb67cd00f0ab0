// Package socks5 asks a SOCKS proxy for a connection (RFC 1928: version 5, the
// command CONNECT), with a user name and password if it wants them (RFC 1929).
// It does no input or output: bytes are fed to a [Client], events are pulled
// from it.
//
//	if err := c.Reset(&target, login); err != nil { ... }
//	for kind, err := c.Next(); ; kind, err = c.Next() {
//		switch {
//		case err != nil:              // for good
//		case kind == socks5.Send:     // write(c.AppendMessage(nil))
//		case kind == socks5.NeedData: // c.Feed(read()), or c.EOF()
//		case kind == socks5.Done:     // from c.Rest() on, the target speaks
//		}
//	}
//
// What the client finds does not depend on how the bytes were cut. It holds a
// reply until that is whole, which is at most 262 bytes, takes no byte beyond
// it, and allocates nothing.
//
// # Every doubtful case
//
//	input                                what we do  why
//	a first byte that is not 5           refuse      1928, 3: another protocol; an H is taken for HTTP
//	a method that was not offered        refuse      1928, 3
//	no login wanted, though we have one  go on       1928, 3: the server selects; nothing was told yet
//	a status of 1929 whose version is
//	not 1                                refuse      1929, 2: another protocol
//	a login status but 0                 refuse      1929, 2: failure
//	a reply code but 0                   refuse      1928, 6: at once; some servers send no more of it
//	a reserved byte that is not 0        accept      1928, 6: has no meaning
//	an address type of no known length   refuse      1928, 6: nobody knows where the reply ends
//	the address in the reply             skip        1928, 6: the proxy's own end, often 0.0.0.0
//	an answer before its question        accept      cannot be told from one after it
//	bytes after the reply                give back   the target spoke first: Rest
package socks5
