package lab

// keepEndpoints end connections that a client would like to use again, or
// leave something in them.
var keepEndpoints = []endpoint{
	{path: "keep", about: "keeps the connection for so many requests, and says so at the last", serve: serveKeep,
		params: []param{{"requests", 3, 1, 1_000_000}}},
	{path: "keep/silent", about: "the same, but closes without a word", serve: serveKeepSilent,
		params: []param{{"requests", 3, 1, 1_000_000}}},
	{path: "keep/reset", about: "a whole answer, then a reset a moment later", serve: serveKeepReset,
		params: []param{{"pause", 20, 0, 600_000}}},
	{path: "keep/idle", about: "closes when nothing has come for a while, in the face of the next request", serve: serveKeepIdle,
		params: []param{{"pause", 20, 0, 600_000}}},
	{path: "surplus", about: "some bytes after the answer that nobody asked for", serve: serveSurplus,
		params: []param{{"bytes", 20, 1, 1 << 20}, {"pause", 0, 0, 600_000}}},
	{path: "surplus/answer", about: "a second whole answer that nobody asked for", serve: func(x *exchange) {
		x.send(append(append(x.headOf(200, x.whole()), x.what.body...), "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nforged\n"...))
	}},
}

func serveKeep(x *exchange) {
	if x.nth >= x.size("requests") {
		x.last()
	}
	serveWhole(x)
}

func serveKeepSilent(x *exchange) {
	serveWhole(x)
	if x.nth >= x.size("requests") {
		x.hangUp()
	}
}

func serveKeepReset(x *exchange) {
	serveWhole(x)
	if x.pause(x.wait("pause")) {
		x.drop()
	}
}

func serveKeepIdle(x *exchange) {
	serveWhole(x)
	if x.pause(x.wait("pause")) {
		x.hangUp()
	}
}

// serveSurplus sends the surplus with the answer's last bytes, or after a pause.
func serveSurplus(x *exchange) {
	surplus := make([]byte, x.size("bytes"))
	for i := range surplus {
		surplus[i] = '.'
	}
	answer := append(x.headOf(200, x.whole()), x.what.body...)
	if wait := x.wait("pause"); wait > 0 {
		if x.send(answer) && x.pause(wait) {
			x.send(surplus)
		}
		return
	}
	x.send(append(answer, surplus...))
}
