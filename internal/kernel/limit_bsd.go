//go:build freebsd || netbsd || openbsd || dragonfly

package kernel

// systemLimit has nothing to add here: getrlimit(2) says it all.
func systemLimit(limit int) int { return limit }
