package lab

var typeEndpoints = []endpoint{
	{path: "type/html", about: "an HTML page that says it is a JPEG, with 200", serve: func(x *exchange) {
		x.respond(200, fields{"Content-Type", "image/jpeg"}, []byte("<!doctype html><title>Sorry</title><p>The picture you want has moved.\n"))
	}},
	{path: "type/text", about: "the picture, said to be text", serve: func(x *exchange) { x.typed("text/plain") }},
	{path: "type/other", about: "the picture, said to be of another type", serve: func(x *exchange) { x.typed("image/webp") }},
	{path: "type/none", about: "the picture, of no type", serve: func(x *exchange) { x.respond(200, nil, x.what.body) }},
	{path: "type/empty", about: "200 and no byte", serve: func(x *exchange) { x.respond(200, x.about(), nil) }},
	{path: "type/half", about: "half a picture, its length told as it comes", serve: func(x *exchange) {
		x.respond(200, x.about(), x.what.body[:len(x.what.body)/2])
	}},
	{path: "disposition", about: "a name in Content-Disposition", serve: func(x *exchange) { x.named(`attachment; filename="a fish.jpg"`) }},
	{path: "disposition/utf8", about: "a name in Content-Disposition beyond ASCII (RFC 8187)", serve: func(x *exchange) {
		x.named(`attachment; filename="fish.jpg"; filename*=UTF-8''br%C3%A8me%20%E9%AD%9A.jpg`)
	}},
	{path: "disposition/evil", about: "a name in Content-Disposition that climbs out of the folder", serve: func(x *exchange) {
		x.named(`attachment; filename="../../../../tmp/evil.jpg"; filename*=UTF-8''%2e%2e%2f%2e%2e%2fevil.jpg`)
	}},
}

func (x *exchange) typed(kind string) { x.respond(200, fields{"Content-Type", kind}, x.what.body) }

func (x *exchange) named(disposition string) {
	x.respond(200, append(x.about(), "Content-Disposition", disposition), x.what.body)
}
