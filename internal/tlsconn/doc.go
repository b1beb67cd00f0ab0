// Package tlsconn is the TLS client of the standard library without a socket:
// ciphertext is fed to a [Conn], what it has to send is taken from it, and the
// plaintext is pulled. It does no input or output and starts no goroutine.
//
//	c := tlsconn.New(settings.Config("example.net"), pad)
//	defer c.Stop()
//	for status, err := c.Handshake(); ; status, err = c.Handshake() {
//		send(c.Outgoing())                   // an alert, after an error
//		switch {
//		case err != nil:                     // for good
//		case status == tlsconn.Done:         // c.Write, then Feed and Read
//		case status == tlsconn.NeedData:     c.Feed(read()) // or c.EOF()
//		case status == tlsconn.NeedVerification:
//			c.Verified(elsewhere(c.Verification()))
//		}
//	}
//
// The handshake of crypto/tls cannot be told to come back later: its first
// error is its last. So it runs in a coroutine (package coro), which pauses when
// the bytes run out and is gone when the handshake is done. Afterwards
// crypto/tls is called directly: its Read keeps what it has of a record when the
// conn beneath it reports a temporary error, and goes on with it the next time.
// The documentation does not promise this; deadlines depend on it, and
// TestStandardLibrary pins it. Should it ever fail, the constant
// coroutineForLife makes the coroutine stay for the reads too.
//
// Bytes that were decrypted raise no readiness: after each Feed, Read is called
// until it says ErrNeedData.
//
// # Where a part of a record is kept
//
// What is fed is only borrowed, so the beginning of a record whose end is still
// to come must be copied. It goes where crypto/tls copies each record anyway,
// into the buffer that each of its conns has and keeps. That costs two
// allocations of 24 bytes for the call, and no second buffer of up to 16 KB for
// every conn that waits in the middle of a record. A Read for which nothing was
// fed calls nothing and allocates nothing.
package tlsconn
