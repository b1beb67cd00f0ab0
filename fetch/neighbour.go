package fetch

import "strings"

// A list names a host many times in a row, and to take a URL apart costs as much
// as to read a response's head. One that begins as the one before, up to its
// path, and goes on with nothing that has to be encoded or resolved, has the
// same parts.

// neighbour is the URL that was read last.
type neighbour struct {
	site   string // up to its path; empty when it was not spelled as it is sent
	target target
}

// read is parseTarget.
func (n *neighbour) read(raw string) (target, error) {
	if n.site != "" && strings.HasPrefix(raw, n.site) && isPlainPath(raw[len(n.site):]) {
		t := n.target
		t.url = raw
		return t, nil
	}
	t, err := parseTarget(raw)
	*n = neighbour{}
	if err == nil && t.url == raw {
		*n = neighbour{raw[:len(raw)-len(pathOf(raw))], t}
	}
	return t, err
}

// isPlainPath says whether a path, with its query, is certain to be sent as it is
// spelled. Of dot segments only their beginning is looked for.
func isPlainPath(path string) bool {
	if path == "" || path[0] != '/' {
		return false
	}
	for i := 1; i < len(path); i++ {
		switch c := path[i]; {
		case 'a' <= c|0x20 && c|0x20 <= 'z', '0' <= c && c <= '9', c == '-', c == '_', c == '/', c == '=', c == '&':
		case c == '?' || c == '.' && path[i-1] != '/':
		default:
			return false
		}
	}
	return true
}
