package lab

var slowEndpoints = []endpoint{
	{path: "slow", about: "thinks before it answers", serve: serveSlow,
		params: []param{{"pause", 300, 0, 600_000}}},
	{path: "drip", about: "the body in small pieces, with a pause after each", serve: serveDrip,
		params: []param{{"bytes", 256, 1, 1 << 20}, {"pause", 20, 0, 600_000}}},
	{path: "slowhead", about: "the head byte by byte, the body at once", serve: serveSlowHead,
		params: []param{{"bytes", 1, 1, 1 << 20}, {"pause", 5, 0, 600_000}}},
	{path: "bytewise", about: "everything in segments of one byte, as fast as they go", serve: serveBytewise,
		params: []param{{"pause", 0, 0, 600_000}}},
}

func serveSlow(x *exchange) {
	if x.pause(x.wait("pause")) {
		serveWhole(x)
	}
}

func serveDrip(x *exchange) {
	if x.head(200, x.whole()) {
		x.pieces(x.what.body, x.size("bytes"), x.wait("pause"))
	}
}

func serveSlowHead(x *exchange) {
	if x.sendPieces(x.headOf(200, x.whole()), x.size("bytes"), x.wait("pause")) {
		x.body(x.what.body)
	}
}

func serveBytewise(x *exchange) {
	if x.sendPieces(x.headOf(200, x.whole()), 1, x.wait("pause")) {
		x.pieces(x.what.body, 1, x.wait("pause"))
	}
}
