package main

import (
	"time"

	"github.com/spf13/pflag"

	"github.com/shoalfetch/shoal/fetch"
)

// keep is what the flags say of how long connections are kept for further
// requests.
type keep struct {
	never     bool
	idle, age time.Duration
}

func addKeepFlags(f *pflag.FlagSet, k *keep) {
	*k = keep{idle: 90 * time.Second, age: time.Hour}
	const once = "make a connection for each request, and close it afterwards: otherwise they are kept for further requests, as long as the server allows (Keep-Alive: timeout)"
	f.BoolVar(&k.never, "no-keepalive", false, once)
	f.BoolVar(&k.never, "no-http-keep-alive", false, once+": --no-keepalive by wget's name")
	_ = f.MarkHidden("no-http-keep-alive")
}

func addKeepTimes(f *pflag.FlagSet, k *keep) {
	f.Var(durationValue{&k.idle, false}, "idle-timeout", "close a connection that has been idle for so long")
	f.Var(durationValue{&k.age, false}, "max-conn-age", "ask nothing of a connection that has been open for so long")
}

// apply puts it in the engine's terms.
func (k *keep) apply(o *fetch.Options) {
	o.NoKeepAlive, o.IdleTimeout, o.MaxConnAge = k.never, k.idle, k.age
}
