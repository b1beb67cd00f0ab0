package kernel

import "golang.org/x/sys/unix"

// systemLimit lowers a limit to kern.maxfilesperproc, which macOS enforces as
// well but does not show in getrlimit(2).
func systemLimit(limit int) int {
	perProcess, err := unix.SysctlUint32("kern.maxfilesperproc")
	if err != nil {
		return limit
	}
	return min(limit, int(perProcess))
}
