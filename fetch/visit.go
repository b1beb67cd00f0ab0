package fetch

import (
	"cmp"
	"slices"
)

// visit is a request that was redirected.
type visit struct {
	Hop
	method  string
	cookies string // from the jar
}

// circle gives the URLs that a job would go round through if it asked a target:
// nil when it has not asked that before. With other cookies it has not: many
// servers set one and send back to the same URL.
func (l *loop) circle(j *job, method string, t *target) []string {
	cookies := l.cookiesFor(t.route, t.url)
	same := func(v *visit) bool { return v.method == named(method) && v.URL == t.url && v.cookies == cookies }
	var visits []visit
	if j.special != nil {
		visits = j.special.visits
	}
	visits = append(slices.Clip(visits), j.visit(0, Timings{}))
	for i := range visits {
		if !same(&visits[i]) {
			continue
		}
		var urls []string
		for _, v := range visits[i:] {
			urls = append(urls, v.URL)
		}
		return append(urls, t.url)
	}
	return nil
}

// visit is a job's last request.
func (j *job) visit(status int, took Timings) visit {
	v := visit{Hop: Hop{j.url, status, took}, method: named(j.outgoing().Method)}
	if j.special != nil {
		v.cookies = j.special.cookies
	}
	return v
}

// named is a method by its name.
func named(method string) string { return cmp.Or(method, "GET") }

// hops are all requests of a job that has been redirected, the last, which got
// that status, too.
func (j *job) hops(status int) []Hop {
	var all []Hop
	for _, v := range j.special.visits {
		all = append(all, v.Hop)
	}
	return append(all, Hop{j.url, status, j.sinceVisit()})
}

// sinceVisit is what has been spent on a job since it was redirected last.
func (j *job) sinceVisit() Timings {
	t := timingsOf(&j.spent)
	for _, v := range j.special.visits {
		t = t.minus(v.Timings)
	}
	return t
}

// minus is what is left of some timings without others.
func (t Timings) minus(u Timings) Timings {
	return Timings{
		Queue:   t.Queue - u.Queue,
		Lookup:  t.Lookup - u.Lookup,
		Connect: t.Connect - u.Connect,
		TLS:     t.TLS - u.TLS,
		Send:    t.Send - u.Send,
		Wait:    t.Wait - u.Wait,
		Receive: t.Receive - u.Receive,
		Total:   t.Total - u.Total,
	}
}
