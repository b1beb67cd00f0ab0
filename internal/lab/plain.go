package lab

// plainEndpoints serve well; the first is what a path without an endpoint gets.
var plainEndpoints = []endpoint{
	{path: "ok", about: "the whole picture, its length told, the connection kept", serve: serveWhole},
}

func serveWhole(x *exchange) { x.respond(200, x.about(), x.what.body) }
