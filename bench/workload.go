package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// workload is what each run of each peer has to do.
type workload struct {
	fetches  int
	size     int // bytes of a file
	conns    int
	newConns bool // one fetch a connection: the server closes each
}

func (w workload) String() string {
	kind := "kept alive"
	if w.newConns {
		kind = "new for each fetch"
	}
	return fmt.Sprintf("%d fetches of %d bytes, %d connections, %s", w.fetches, w.size, w.conns, kind)
}

// bytes is the room that the files need, by the page.
func (w workload) bytes() int {
	return w.fetches * ((w.size + pageBytes - 1) / pageBytes * pageBytes)
}

// fileName is the name of file number i, in the server's folder and in the
// client's.
func fileName(i int) string { return fmt.Sprintf("%06d.jpg", i) }

// writeFiles makes the server's files: noise, different in each, the same in
// each run of this program.
func (w workload) writeFiles(dir string) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	noise := rand.NewChaCha8([32]byte{})
	content := make([]byte, w.size)
	for i := range w.fetches {
		noise.Read(content)
		if err := os.WriteFile(filepath.Join(dir, fileName(i)), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// writeList makes the list of all URLs, as a peer wants it.
func (w workload) writeList(name string, port int, line func(url string) string) error {
	var list strings.Builder
	for i := range w.fetches {
		list.WriteString(line(fmt.Sprintf("http://127.0.0.1:%d/%s", port, fileName(i))))
	}
	return os.WriteFile(name, []byte(list.String()), 0o600)
}

// verify holds what a client saved to what the server has: every file, every
// byte, and no other file.
func (w workload) verify(got, want string) error {
	entries, err := os.ReadDir(got)
	if err != nil {
		return err
	}
	if len(entries) != w.fetches {
		return fmt.Errorf("%d files in the folder, not %d", len(entries), w.fetches)
	}
	for i := range w.fetches {
		saved, err := os.ReadFile(filepath.Join(got, fileName(i)))
		if err != nil {
			return err
		}
		served, err := os.ReadFile(filepath.Join(want, fileName(i)))
		if err != nil {
			return err
		}
		if !bytes.Equal(saved, served) {
			return fmt.Errorf("%s is not what the server has: %d bytes, not %d, or others", fileName(i), len(saved), len(served))
		}
	}
	return nil
}
