package lab

import (
	"fmt"
)

var seeEndpoints = []endpoint{
	{path: "echo", about: "the request as it came, as text", serve: serveEcho},
	{path: "stats", about: "what the lab has done so far", serve: func(x *exchange) { x.text(200, x.server.stats.String()) }},
	{path: "index.json", about: "this list, for programs", serve: serveIndexJSON},
}

func serveEcho(x *exchange) {
	echo := fmt.Appendf(nil, "connection %d, request %d on it, from %s\n\n", x.id, x.nth, x.tcp.RemoteAddr())
	echo = append(append(echo, x.request.head...), x.request.body...)
	x.respond(200, fields{"Content-Type", "text/plain; charset=utf-8"}, echo)
}
