//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package kernel

import (
	"math"

	"golang.org/x/sys/unix"
)

// DescriptorLimit implements [Kernel]. No limit (RLIM_INFINITY, which is
// another number on each system) counts as 2^31-1, the highest descriptor that
// an int of C can name.
func (r *Real) DescriptorLimit() (int, error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, err
	}
	return systemLimit(int(min(uint64(limit.Cur), math.MaxInt32))), nil
}
