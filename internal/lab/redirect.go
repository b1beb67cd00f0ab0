package lab

import (
	"fmt"
	"net"
	"strings"
)

// redirectEndpoints send the client elsewhere, in the end to the content.
var redirectEndpoints = []endpoint{
	{path: "redirect", about: "so many redirects in a row, with a status of 300 to 399", serve: serveRedirect,
		params: []param{{"status", 302, 300, 399}, {"hops", 1, 1, 10_000}}},
	{path: "redirect/absolute", about: "to a whole URL", serve: func(x *exchange) { x.redirect(302, x.server.URL()+"/"+x.rest) }},
	{path: "redirect/relative", about: "to a path that climbs with ../", serve: func(x *exchange) {
		x.redirect(302, strings.Repeat("../", strings.Count(x.path, "/"))+x.rest)
	}},
	{path: "redirect/network", about: "to //host/path, without a scheme", serve: func(x *exchange) {
		x.redirect(302, "//"+x.server.address()+"/"+x.rest)
	}},
	{path: "redirect/host", about: "from 127.0.0.1 to localhost, or back", serve: serveOtherHost},
	{path: "redirect/fragment", about: "to a URL with a fragment", serve: func(x *exchange) { x.redirect(302, "/"+x.rest+"#middle") }},
	{path: "redirect/spaces", about: "to a URL with spaces around it", serve: func(x *exchange) { x.redirect(302, "  /"+x.rest+" \t") }},
	{path: "redirect/loop", about: "to itself", serve: func(x *exchange) { x.redirect(302, x.target) }},
	{path: "redirect/ping", about: "to pong, which sends back here", serve: func(x *exchange) { x.redirect(302, "/redirect/pong/"+x.rest) }},
	{path: "redirect/pong", about: "to ping, which sends back here", serve: func(x *exchange) { x.redirect(302, "/redirect/ping/"+x.rest) }},
	{path: "redirect/nowhere", about: "302 without a Location", serve: func(x *exchange) { x.text(302, "somewhere else\n") }},
	{path: "redirect/two", about: "two Locations that differ", serve: func(x *exchange) {
		x.respond(302, fields{"Location", "/" + x.rest, "Location", "/tile/0.jpg"}, nil)
	}},
	{path: "redirect/broken", about: "to what is no URL", serve: func(x *exchange) { x.redirect(302, "http://[::1/%zz") }},
	{path: "redirect/scheme", about: "to a scheme that is not HTTP", serve: func(x *exchange) { x.redirect(302, "file:///etc/hostname") }},
	{path: "redirect/missing", about: "to what is not there", serve: func(x *exchange) { x.redirect(302, "/status?code=404") }},
	{path: "redirect/body", about: "with a megabyte of body to read past", serve: func(x *exchange) {
		x.respond(302, fields{"Location", "/" + x.rest, "Content-Type", "text/plain"}, []byte(strings.Repeat("elsewhere\n", 100_000)))
	}},
}

func (x *exchange) redirect(status int, location string) {
	x.respond(status, fields{"Location", location, "Content-Type", "text/plain"}, []byte("over there\n"))
}

func serveRedirect(x *exchange) {
	to := "/" + x.rest
	if hops := x.size("hops"); hops > 1 {
		to = fmt.Sprintf("/redirect/%s?hops=%d&status=%d", x.rest, hops-1, x.size("status"))
	}
	x.redirect(x.size("status"), to)
}

func serveOtherHost(x *exchange) {
	host, port, _ := net.SplitHostPort(x.server.address())
	asked := x.host
	if asked == "" {
		asked = x.fields["host"]
	}
	if !strings.HasPrefix(asked, "localhost") {
		host = "localhost"
	}
	x.redirect(302, x.server.scheme()+"://"+net.JoinHostPort(host, port)+"/"+x.rest)
}
