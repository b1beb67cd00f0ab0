package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/shoalfetch/shoal/bench/origin"
)

// newWorkspace makes a folder in memory where there is a place for that.
func newWorkspace() (string, error) {
	base := "/dev/shm"
	if _, err := os.Stat(base); err != nil {
		base = os.TempDir()
	}
	return os.MkdirTemp(base, "shoal-scale-")
}

func buildShoal(ctx context.Context, work string) (string, error) {
	program := filepath.Join(work, "shoal")
	said, err := exec.CommandContext(ctx, "go", "build", "-o", program, "github.com/shoalfetch/shoal/cmd/shoal").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build shoal: %w\n%s", err, said)
	}
	return program, nil
}

// held is what a run of the command over dripping connections came to.
type held struct {
	conns int
	amid  int64 // bytes resident when half of each body had come
	peak  int64 // bytes of the highest resident set: results cost too
	cpu   time.Duration
	took  time.Duration
}

// dripping is a run of the command that has been started.
type dripping struct {
	server  *origin.Server
	command *exec.Cmd
	said    bytes.Buffer
	out     string
	conns   int
	began   time.Time
}

// startDrips starts the command on as many drips as there are connections.
func startDrips(ctx context.Context, shoal, work string, conns int) (*dripping, error) {
	s, err := startServer(ctx, serverCore)
	if err != nil {
		return nil, err
	}
	d := &dripping{server: s, conns: conns}
	if err := d.start(ctx, shoal, work); err != nil {
		s.Stop()
		return nil, err
	}
	return d, nil
}

func (d *dripping) start(ctx context.Context, shoal, work string) (err error) {
	if d.out, err = os.MkdirTemp(work, "out-"); err != nil {
		return err
	}
	var urls strings.Builder
	for i := range d.conns {
		fmt.Fprintln(&urls, drip(d.server, i))
	}
	list := d.out + ".list"
	if err := os.WriteFile(list, []byte(urls.String()), 0o600); err != nil {
		return err
	}
	n := strconv.Itoa(d.conns)
	d.command = pinned(ctx, clientCore, shoal, "-i", list, "-d", d.out, "-j", n, "--max-per-host", n, "-s")
	d.command.Stderr = &d.said
	d.began = time.Now()
	return d.command.Start()
}

// holdDrips runs the command to its end and watches what it takes.
func holdDrips(ctx context.Context, shoal, work string, conns int) (held, error) {
	d, err := startDrips(ctx, shoal, work, conns)
	if err != nil {
		return held{}, err
	}
	defer d.server.Stop()
	amid, peak := watchMemory(d.command.Process.Pid, d.began.Add(pieces*pieceDelay/2))
	if err := d.command.Wait(); err != nil {
		return held{}, fmt.Errorf("shoal with %d drips: %w\n%s", conns, err, d.said.Bytes())
	}
	if err := d.verify(); err != nil {
		return held{}, err
	}
	state := d.command.ProcessState
	return held{conns, amid, peak, state.UserTime() + state.SystemTime(), time.Since(d.began)}, nil
}

// watchMemory gives what a process has resident at a moment (VmRSS,
// proc_pid_status(5)), and the most that it ever had (VmHWM), as of shortly
// before it ended. getrusage(2) would not do: its ru_maxrss counts what was
// there before execve.
func watchMemory(pid int, at time.Time) (then, peak int64) {
	const interval = 20 * time.Millisecond
	for {
		resident, highest, err := readMemory(pid)
		if err != nil {
			return then, peak
		}
		peak = highest
		if then == 0 && !time.Now().Before(at) {
			then = resident
		}
		time.Sleep(interval)
	}
}

// readMemory gives VmRSS and VmHWM of a process in bytes.
func readMemory(pid int) (resident, highest int64, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		kilobytes, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		switch name {
		case "VmRSS":
			resident = kilobytes << 10
		case "VmHWM":
			highest = kilobytes << 10
		}
	}
	if highest == 0 {
		return 0, 0, errors.New("no VmHWM: the process has ended")
	}
	return resident, highest, nil
}

// verify counts the files and looks at the size of each.
func (d *dripping) verify() error {
	count := 0
	err := filepath.WalkDir(d.out, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Size() != pieces*pieceBytes {
			err = fmt.Errorf("%s has %d bytes, not %d", path, info.Size(), pieces*pieceBytes)
		}
		count++
		return err
	})
	if err == nil && count != d.conns {
		err = fmt.Errorf("%d files, not %d", count, d.conns)
	}
	return err
}

// memoryTable writes what many connections cost over one.
func memoryTable(one, many held) string {
	each := func(one, many int64, conns int) string {
		return fmt.Sprintf("%.0f", float64(many-one)/float64(conns))
	}
	var out strings.Builder
	out.WriteString("| connections | half-way, KB | bytes each | peak, KB | bytes each | processor time | of one processor | µs a piece |\n|---|---|---|---|---|---|---|---|\n")
	row := func(h held, amid, peak string) {
		piece := h.cpu.Seconds() * 1e6 / float64(h.conns*pieces)
		fmt.Fprintf(&out, "| %d | %d | %s | %d | %s | %.2f s | %.1f %% | %.1f |\n", h.conns,
			h.amid>>10, amid, h.peak>>10, peak, h.cpu.Seconds(), 100*h.cpu.Seconds()/h.took.Seconds(), piece)
	}
	row(one, "–", "–")
	row(many, each(one.amid, many.amid, many.conns-one.conns), each(one.peak, many.peak, many.conns-one.conns))
	return out.String()
}
