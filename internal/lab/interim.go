package lab

import (
	"fmt"
	"net/http"
)

var interimEndpoints = []endpoint{
	{path: "interim", about: "so many interim responses before the final one", serve: serveInterim,
		params: []param{{"code", 103, 100, 199}, {"times", 1, 1, 1_000_000}, {"pause", 0, 0, 600_000}}},
	{path: "interim/length", about: "an interim response that tells a length, which means nothing", serve: func(x *exchange) {
		x.send([]byte("HTTP/1.1 103 Early Hints\r\nContent-Length: 100\r\n\r\n"))
		serveWhole(x)
	}},
	{path: "interim/only", about: "an interim response, and then closes", serve: func(x *exchange) {
		x.send([]byte("HTTP/1.1 100 Continue\r\n\r\n"))
		x.hangUp()
	}},
	{path: "interim/switch", about: "101 Switching Protocols, that nobody asked for", serve: func(x *exchange) {
		x.send([]byte("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: seaweed/1\r\n\r\n"))
		x.body(x.what.body)
		x.hangUp()
	}},
}

func serveInterim(x *exchange) {
	code := x.size("code")
	interim := fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nX-Interim: yes\r\n\r\n", code, http.StatusText(code))
	for range x.size("times") {
		if !x.send(interim) || !x.pause(x.wait("pause")) {
			return
		}
	}
	serveWhole(x)
}
