package fetch

import (
	"strconv"
	"strings"
	"time"
)

// keepAlive is what a server says of how long it keeps a connection, in the field
// of that name (RFC 2068 section 19.7.1.1; its parameters are those of
// draft-thomson-hybi-http-timeout-03 section 2). It is free to close earlier.
type keepAlive struct {
	timeout time.Duration // without an exchange; negative: not said
	last    bool          // it takes no further request
}

// longestKeepAlive keeps a server's seconds from running over.
const longestKeepAlive = 365 * 24 * time.Hour

// readKeepAlive reads the field's value. What makes no sense in it says nothing.
func readKeepAlive(value string) keepAlive {
	k := keepAlive{timeout: -1}
	if value == "" {
		return k
	}
	for part := range strings.SplitSeq(value, ",") {
		name, number, _ := strings.Cut(part, "=")
		n, err := strconv.ParseUint(strings.Trim(number, " \t\""), 10, 32)
		if err != nil {
			continue
		}
		switch strings.ToLower(strings.Trim(name, " \t")) {
		case "timeout":
			k.timeout = min(time.Duration(n)*time.Second, longestKeepAlive)
		case "max":
			k.last = n == 0
		}
	}
	return k
}

// ends says whether the connection is not worth keeping.
func (k keepAlive) ends() bool { return k.last || k.timeout == 0 }

// rest shortens a rest so far that the connection is given up before the server
// does so: a second earlier, so that no request is on its way when it closes. Of
// a timeout that is hardly longer half is used.
func (k keepAlive) rest(most time.Duration) time.Duration {
	if k.timeout < 0 {
		return most
	}
	return min(most, max(k.timeout-time.Second, k.timeout/2))
}
