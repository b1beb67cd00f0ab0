package main

import (
	"bufio"
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
	peak  int64 // bytes of the highest resident set
	cpu   time.Duration
	took  time.Duration
}

// dripping is a run of the command that has been started.
type dripping struct {
	server  *server
	command *exec.Cmd
	said    bytes.Buffer
	out     string
	conns   int
	began   time.Time
}

// startDrips starts the command on as many drips as there are connections.
func startDrips(ctx context.Context, shoal, work string, conns int) (*dripping, error) {
	s, err := startServer(ctx)
	if err != nil {
		return nil, err
	}
	d := &dripping{server: s, conns: conns}
	if err := d.start(ctx, shoal, work); err != nil {
		s.stop()
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
		fmt.Fprintln(&urls, d.server.drip(i))
	}
	list := d.out + ".list"
	if err := os.WriteFile(list, []byte(urls.String()), 0o600); err != nil {
		return err
	}
	n := strconv.Itoa(d.conns)
	d.command = exec.CommandContext(ctx, shoal, "-i", list, "-d", d.out, "-j", n, "--max-per-host", n, "-s")
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
	defer d.server.stop()
	peak := watchPeak(d.command.Process.Pid)
	if err := d.command.Wait(); err != nil {
		return held{}, fmt.Errorf("shoal with %d drips: %w\n%s", conns, err, d.said.Bytes())
	}
	if err := d.verify(); err != nil {
		return held{}, err
	}
	state := d.command.ProcessState
	return held{conns, peak, state.UserTime() + state.SystemTime(), time.Since(d.began)}, nil
}

// watchPeak gives the highest resident set that the kernel has noted for a
// process (VmHWM, proc_pid_status(5)), as of shortly before the process ended.
// getrusage(2) would not do: its ru_maxrss counts what was there before execve.
func watchPeak(pid int) (peak int64) {
	const interval = 20 * time.Millisecond
	for {
		now, err := readPeak(pid)
		if err != nil {
			return peak
		}
		peak = now
		time.Sleep(interval)
	}
}

func readPeak(pid int) (int64, error) {
	status, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	defer status.Close()
	for lines := bufio.NewScanner(status); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "VmHWM:"); ok {
			kilobytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kilobytes << 10, err
		}
	}
	return 0, errors.New("no VmHWM: the process has ended")
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
	each := float64(many.peak-one.peak) / float64(many.conns-one.conns)
	var out strings.Builder
	out.WriteString("| connections | peak memory, KB | bytes a connection | processor time | of one processor | µs a piece |\n|---|---|---|---|---|---|\n")
	row := func(h held, each string) {
		piece := h.cpu.Seconds() * 1e6 / float64(h.conns*pieces)
		fmt.Fprintf(&out, "| %d | %d | %s | %.2f s | %.1f %% | %.1f |\n",
			h.conns, h.peak>>10, each, h.cpu.Seconds(), 100*h.cpu.Seconds()/h.took.Seconds(), piece)
	}
	row(one, "–")
	row(many, fmt.Sprintf("%.0f", each))
	return out.String()
}
