package lab

// stallEndpoints fall silent for as long as the client stays.
var stallEndpoints = []endpoint{
	{path: "stall/before", about: "takes the request and never answers", serve: func(x *exchange) { x.hang() }},
	{path: "stall/head", about: "falls silent in the middle of the head", serve: func(x *exchange) {
		x.sendPart(x.headOf(200, x.whole()), 50)
		x.hang()
	}},
	{path: "stall/body", about: "falls silent in the body, after a percentage", params: percent, serve: func(x *exchange) {
		x.part()
		x.hang()
	}},
	{path: "stall/end", about: "the whole body, its end told by closing, and never closes", serve: func(x *exchange) {
		x.last()
		x.head(200, x.about())
		x.body(x.what.body)
		x.hang()
	}},
}

// percent is how much of the body is sent before something happens.
var percent = []param{{"at", 50, 0, 100}}

// part sends an honest head and the body up to the percentage.
func (x *exchange) part() {
	x.head(200, x.whole())
	if x.method != "HEAD" {
		x.sendPart(x.what.body, x.number("at"))
	}
}

func (x *exchange) sendPart(p []byte, percent int64) bool {
	return x.send(p[:int64(len(p))*percent/100])
}
