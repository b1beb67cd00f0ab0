module example.org/second

go 1.26.0

require github.com/shoalfetch/shoal v0.0.0

replace github.com/shoalfetch/shoal => ../..
