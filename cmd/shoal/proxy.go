package main

import "strings"

// warnOfProxies says what shoal does not do, to those who count on it. HTTP_PROXY
// does not count with curl either: a CGI program has it from its client.
func (r *runner) warnOfProxies(getenv func(string) string) {
	var set []string
	for _, name := range []string{"http_proxy", "all_proxy", "ALL_PROXY"} {
		if getenv(name) != "" {
			set = append(set, name)
		}
	}
	if len(set) > 0 {
		r.say("proxies are not supported yet: connecting without, although the environment has %s", strings.Join(set, " and "))
	}
}
