package lab

import (
	"crypto/tls"
	"fmt"
)

// secureEndpoints need a connection over TLS; without, they are well served.
var secureEndpoints = []endpoint{
	{path: "tls", about: "what was agreed in the handshake, as text", serve: serveAgreed},
	{path: "tls/cut", about: "the whole body, its end told by closing, and TLS does not say that it is the end (RFC 9112, section 9.8)", serve: func(x *exchange) {
		x.last()
		x.head(200, x.about())
		x.body(x.what.body)
		x.mute = true
	}},
	{path: "tls/mute", about: "the whole picture, its length told; then it closes without saying so to TLS", serve: func(x *exchange) {
		x.last()
		x.respond(200, x.about(), x.what.body)
		x.mute = true
	}},
	{path: "tls/garbage", about: "half a body, then bytes that no TLS has made", params: percent, serve: func(x *exchange) {
		x.last()
		x.part()
		if x.secure != nil {
			x.tcp.Write([]byte("\x17\x03\x03\x00\x20 and now for something different"))
			x.mute = true
		}
	}},
}

func serveAgreed(x *exchange) {
	if x.secure == nil {
		x.text(200, "This connection is not encrypted.\n")
		return
	}
	s := x.secure.ConnectionState()
	text := fmt.Sprintf("version        %s\nkey exchange   %s\ncipher suite   %s\nserver name    %s\nprotocol       %s\nresumed        %t\n",
		tls.VersionName(s.Version), s.CurveID, tls.CipherSuiteName(s.CipherSuite), orNone(s.ServerName), orNone(s.NegotiatedProtocol), s.DidResume)
	client := "none"
	if len(s.PeerCertificates) > 0 {
		client = s.PeerCertificates[0].Subject.String()
	}
	x.text(200, text+"client         "+client+"\n")
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}
