package lab

// abortEndpoints end the connection too early: with FIN, as a server that
// closes, or with RST, as one that crashes.
var abortEndpoints = []endpoint{
	{path: "fin/before", about: "closes without an answer", serve: func(x *exchange) { x.hangUp() }},
	{path: "fin/head", about: "closes in the middle of the head", serve: func(x *exchange) { x.halfHead(); x.hangUp() }},
	{path: "fin/body", about: "closes in the body, after a percentage", params: percent,
		serve: func(x *exchange) { x.part(); x.hangUp() }},
	{path: "reset/before", about: "resets instead of an answer", serve: func(x *exchange) { x.drop() }},
	{path: "reset/head", about: "resets in the middle of the head", serve: func(x *exchange) { x.halfHead(); x.drop() }},
	{path: "reset/body", about: "resets in the body, after a percentage", params: percent,
		serve: func(x *exchange) { x.part(); x.drop() }},
	{path: "dying", about: "one in so many URLs dies, in one of these ways and always the same; the others live", serve: serveDying,
		params: []param{{"of", 4, 1, 1_000_000}, percent[0]}},
	{path: "dying/first", about: "resets in the body the first so many times that a client asks, then serves", serve: serveDyingFirst,
		params: []param{{"times", 1, 0, 1000}, percent[0]}},
}

func (x *exchange) halfHead() { x.sendPart(x.headOf(200, x.whole()), 50) }

// serveDying throws the dice for the URL as it was written, so that another
// token may bring another fate.
func serveDying(x *exchange) {
	d := diceFor(x.server.options.Seed, x.path+"?"+x.query.Encode())
	if d.below(x.size("of")) != 0 {
		serveWhole(x)
		return
	}
	switch d.below(4) {
	case 0:
		x.halfHead()
		x.drop()
	case 1:
		x.part()
		x.drop()
	case 2:
		x.part()
		x.hangUp()
	case 3:
		x.hangUp()
	}
}

func serveDyingFirst(x *exchange) {
	if x.visit() > x.size("times") {
		serveWhole(x)
		return
	}
	x.part()
	x.drop()
}
