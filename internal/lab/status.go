package lab

import (
	"fmt"
	"net/http"
	"strconv"
)

var statusEndpoints = []endpoint{
	{path: "status", about: "any final status, with a short text", serve: serveStatus,
		params: []param{{"code", 404, 200, 999}}},
	{path: "busy", about: "429 or 503 with Retry-After (seconds) until the client has asked so many times; a token starts anew", serve: serveBusy,
		params: []param{{"code", 503, 400, 599}, {"tries", 3, 1, 1000}, {"after", 1, 0, 86_400}}},
	{path: "busy/date", about: "503 with a Retry-After that is a date, long past", serve: func(x *exchange) {
		x.respond(503, fields{"Retry-After", modified, "Content-Type", "text/plain"}, []byte("busy\n"))
	}},
	{path: "busy/forever", about: "503 with a Retry-After of an hour, every time", serve: func(x *exchange) {
		x.respond(503, fields{"Retry-After", "3600", "Content-Type", "text/plain"}, []byte("busy\n"))
	}},
}

func serveStatus(x *exchange) {
	code := x.size("code")
	if code == 204 || code == 304 { // these have no body and no length (RFC 9110, sections 15.3.5 and 15.4.5)
		x.head(code, nil)
		return
	}
	x.text(code, fmt.Sprintf("%d %s\n", code, http.StatusText(code)))
}

func serveBusy(x *exchange) {
	nth := x.visit()
	if nth >= x.size("tries") {
		serveWhole(x)
		return
	}
	x.respond(x.size("code"), fields{"Retry-After", strconv.Itoa(x.size("after")), "Content-Type", "text/plain"},
		fmt.Appendf(nil, "busy: this was try %d of %d\n", nth, x.size("tries")))
}
