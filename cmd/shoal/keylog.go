package main

import "os"

// keyLogVariable names the file in the environment, as browsers and curl have
// it.
const keyLogVariable = "SSLKEYLOGFILE"

// keyLog is the file in which every TLS connection leaves its secrets, one line
// in one write. Looking at traffic must not break it, so that a line that cannot
// be written is lost.
type keyLog struct {
	file *os.File
	lost func(error) // told once
	told bool
}

// Write implements io.Writer and never fails.
func (k *keyLog) Write(line []byte) (int, error) {
	if _, err := k.file.Write(line); err != nil && !k.told {
		k.told = true
		k.lost(err)
	}
	return len(line), nil
}

// openKeyLog opens the file that the environment names, if it does, and gives
// what closes it.
func (r *runner) openKeyLog(getenv func(string) string) (closeLog func()) {
	name := getenv(keyLogVariable)
	if name == "" {
		return func() {}
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		r.say("%s: %v: the secrets of connections are not written", keyLogVariable, err)
		return func() {}
	}
	r.say("WARNING: %s is set: whoever reads %s can read what goes over the TLS connections of this run", keyLogVariable, name)
	r.tls.KeyLog = &keyLog{file: f, lost: func(err error) { r.say("%s: %v", keyLogVariable, err) }}
	return func() { _ = f.Close() }
}
