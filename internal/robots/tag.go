package robots

import (
	"slices"
	"strings"
)

// refusing are the directives by which a site asks that a thing be neither kept
// nor shown nor learned from; none is short for noindex, nofollow. Others are
// about links, snippets and caches of search engines and stop no fetch.
var refusing = []string{"noindex", "none", "noimageindex", "noai", "noimageai"}

// valued are the directives that have a colon and a value after it, and so are
// no names of agents.
var valued = []string{"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"}

// CheckTag judges the value of one X-Robots-Tag field for an agent, of which it
// wants the [Token]: nil or a *DisallowedError. Directives are separated by
// commas; those after "name:" are for the agent of that name, the ones before
// it for all. unavailable_after is not gone by.
func CheckTag(value, token string) error {
	forUs := true
	for more := true; more; {
		var directive string
		directive, value, more = strings.Cut(value, ",")
		if name, rest, ok := strings.Cut(directive, ":"); ok && isAgent(trim(name)) {
			forUs = strings.EqualFold(trim(name), token) || trim(name) == "*"
			directive = rest
		}
		if forUs && in(refusing, directive) {
			return &DisallowedError{Reason: "X-Robots-Tag: " + strings.ToLower(trim(directive))}
		}
	}
	return nil
}

// isAgent tells the name of an agent from a directive with a value, and from
// the part of a date before its colon.
func isAgent(name string) bool { return !in(valued, name) && !strings.ContainsAny(name, " \t") }

func in(words []string, word string) bool {
	return slices.Contains(words, strings.ToLower(trim(word)))
}

func trim(s string) string { return strings.Trim(s, " \t") }
