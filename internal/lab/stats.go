package lab

import (
	"fmt"
	"sync/atomic"
)

// stats counts for the page of the same name.
type stats struct {
	accepted, closed, requests, bytes atomic.Int64
}

func (s *stats) String() string {
	accepted, closed := s.accepted.Load(), s.closed.Load()
	return fmt.Sprintf("connections accepted  %12d\nconnections open now  %12d\nrequests              %12d\nbytes sent            %12d\n",
		accepted, accepted-closed, s.requests.Load(), s.bytes.Load())
}
