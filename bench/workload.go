package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shoalfetch/shoal/bench/origin"
)

// workload is what each run of each peer has to do.
type workload struct {
	Name     string
	Fetches  int
	Size     int           // bytes of a body
	Conns    int           // at a time
	NewConns bool          `json:",omitempty"` // one fetch a connection: the server closes each
	Piece    int           `json:",omitempty"` // bytes that come at once, if bodies drip
	Delay    time.Duration `json:",omitempty"` // from one piece to the next
	TLS      bool          `json:",omitempty"`
	Resumes  bool          `json:",omitempty"` // the server takes up TLS sessions again
	Hosts    int           `json:",omitempty"` // that the files are asked of in turn, each with a worker of the server; 0: one
}

// workloads are all there are.
var workloads = []workload{
	{Name: "10k", Fetches: 20_000, Size: 10_240, Conns: 64},
	{Name: "70k", Fetches: 5_000, Size: 70_057, Conns: 64},
	{Name: "new", Fetches: 5_000, Size: 10_240, Conns: 64, NewConns: true},
	{Name: "5m", Fetches: 200, Size: 5 << 20, Conns: 16},
	{Name: "drip", Fetches: 9_000, Size: 2_000, Conns: 9_000, Piece: 100, Delay: 500 * time.Millisecond},
	{Name: "list1k", Fetches: 1_000, Size: 1_024, Conns: 64},
	{Name: "list10k", Fetches: 10_000, Size: 1_024, Conns: 64},
	{Name: "list100k", Fetches: 100_000, Size: 1_024, Conns: 64},
	{Name: "j1", Fetches: 10_000, Size: 10_240, Conns: 1},
	{Name: "j8", Fetches: 10_000, Size: 10_240, Conns: 8},
	{Name: "j64", Fetches: 10_000, Size: 10_240, Conns: 64},
	{Name: "j512", Fetches: 10_000, Size: 10_240, Conns: 512},
	{Name: "hosts", Fetches: 20_000, Size: 10_240, Conns: 64, Hosts: 2},
	{Name: "tls-10k", Fetches: 10_000, Size: 10_240, Conns: 64, TLS: true},
	{Name: "tls-new", Fetches: 2_000, Size: 10_240, Conns: 64, TLS: true, NewConns: true},
	{Name: "tls-resumed", Fetches: 2_000, Size: 10_240, Conns: 64, TLS: true, NewConns: true, Resumes: true},
	{Name: "tls-drip", Fetches: 5_000, Size: 2_000, Conns: 5_000, Piece: 100, Delay: 500 * time.Millisecond, TLS: true},
}

func (w workload) drips() bool { return w.Piece > 0 }

// String says what is done, and how.
func (w workload) String() string {
	text := fmt.Sprintf("%s × %s, ", thousands(w.Fetches), bytesText(w.Size))
	if w.TLS {
		text = "TLS, " + text
	}
	if w.drips() {
		return text + fmt.Sprintf("%d B every %v, %s connections", w.Piece, w.Delay, thousands(w.Conns))
	}
	switch {
	case w.Conns == 1:
		text += "1 connection"
	default:
		text += thousands(w.Conns) + " connections"
	}
	if w.NewConns {
		text += " at a time, one for each fetch"
	}
	if w.Resumes {
		text += ", sessions resumed"
	}
	if w.Hosts > 1 {
		text += fmt.Sprintf(", %d hosts", w.Hosts)
	}
	return text
}

func bytesText(n int) string {
	switch {
	case n > 0 && n%(1<<20) == 0:
		return thousands(n>>20) + " MB"
	case n > 0 && n%(1<<10) == 0:
		return thousands(n>>10) + " KB"
	}
	return thousands(n) + " B"
}

func thousands(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// part is the workload with fewer fetches, and connections where each fetch
// has its own.
func (w workload) part(fetches int) workload {
	w.Fetches = max(fetches, 1)
	if w.drips() {
		w.Conns = w.Fetches
	}
	return w
}

// bytes is the room that the files need, by the page.
func (w workload) bytes() int {
	return w.Fetches * ((w.Size + pageBytes - 1) / pageBytes * pageBytes)
}

// fileName is the name of file number i, in the server's folder and in the
// client's.
func fileName(i int) string { return fmt.Sprintf("%06d.jpg", i) }

// writeFiles makes the server's files.
func (w workload) writeFiles(dir string) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	body := make([]byte, w.Size)
	for i := range w.Fetches {
		origin.Body(i, body)
		if err := os.WriteFile(filepath.Join(dir, fileName(i)), body, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// writeList makes the list of all URLs, as a peer wants it.
func (w workload) writeList(name string, url func(i int) string, line func(url string) string) error {
	var list strings.Builder
	for i := range w.Fetches {
		list.WriteString(line(url(i)))
	}
	return os.WriteFile(name, []byte(list.String()), 0o600)
}

// verify holds what a client saved to what was served: every file, every byte,
// and no other file.
func (w workload) verify(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if len(entries) != w.Fetches {
		return fmt.Errorf("%d files in the folder, not %d", len(entries), w.Fetches)
	}
	body := make([]byte, w.Size)
	for i := range w.Fetches {
		saved, err := os.ReadFile(filepath.Join(dir, fileName(i)))
		if err != nil {
			return err
		}
		origin.Body(i, body)
		if !slices.Equal(saved, body) {
			return fmt.Errorf("%s is not what was served: %d bytes, not %d, or others", fileName(i), len(saved), w.Size)
		}
	}
	return nil
}
