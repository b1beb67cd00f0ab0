//go:build freebsd || netbsd || openbsd || dragonfly

package kernel

// renameExclusive is a rename that does not replace: the BSDs have no call for
// it.
func renameExclusive(dir int, from, to string) error { return renameByLink(dir, from, to) }
