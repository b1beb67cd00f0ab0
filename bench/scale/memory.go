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
)

// newWorkspace makes a folder in memory where there is a place for that.
func newWorkspace() (string, error) {
	base := "/dev/shm"
	if _, err := os.Stat(base); err != nil {
		base = os.TempDir()
	}
	return os.MkdirTemp(base, "shoal-scale-")
}

// holding is what a run of the command over drips came to.
type holding struct {
	*drips
	amid int64 // bytes resident when half of each body had come
	peak int64 // bytes of the highest resident set: results cost too
	cpu  time.Duration
	took time.Duration
}

// run is a run of the command that has been started.
type run struct {
	*drips
	command *exec.Cmd
	said    bytes.Buffer
	out     string
	began   time.Time
}

// hold runs the command over drips to its end, and watches what it takes.
func hold(ctx context.Context, shoal, work string, d *drips) (holding, error) {
	if err := d.start(ctx); err != nil {
		return holding{}, err
	}
	defer d.stop()
	r := &run{drips: d}
	if err := r.begin(ctx, shoal, work); err != nil {
		return holding{}, err
	}
	amid, peak := watchMemory(r.command.Process.Pid, r.began.Add(d.lasts()/2))
	if err := r.command.Wait(); err != nil {
		return holding{}, fmt.Errorf("shoal with %v: %w\n%s", d, err, r.said.Bytes())
	}
	took := time.Since(r.began)
	if err := r.verify(); err != nil {
		return holding{}, err
	}
	state := r.command.ProcessState
	return holding{d, amid, peak, state.UserTime() + state.SystemTime(), took}, nil
}

// begin starts the command on as many drips as there are connections.
func (r *run) begin(ctx context.Context, shoal, work string) (err error) {
	if r.out, err = os.MkdirTemp(work, "out-"); err != nil {
		return err
	}
	var urls strings.Builder
	for i := range r.Conns {
		fmt.Fprintln(&urls, r.url(i))
	}
	list := r.out + ".list"
	if err := os.WriteFile(list, []byte(urls.String()), 0o600); err != nil {
		return err
	}
	to := []string{"-o", os.DevNull}
	if r.Saved {
		to = []string{"-d", r.out}
	}
	n := strconv.Itoa(r.Conns)
	r.command = pinned(ctx, clientCore, shoal, append(to, "-i", list, "-j", n, "--max-per-host", n, "-s")...)
	r.command.Stderr = &r.said
	r.began = time.Now()
	return r.command.Start()
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

// verify counts the files and looks at the size of each. Where none are saved,
// the exit status has said that every fetch succeeded.
func (r *run) verify() error {
	if !r.Saved {
		return nil
	}
	count := 0
	err := filepath.WalkDir(r.out, func(path string, entry fs.DirEntry, err error) error {
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
	if err == nil && count != r.Conns {
		err = fmt.Errorf("%d files, not %d", count, r.Conns)
	}
	return err
}

// memoryTable writes what many connections cost over one, which comes first.
func memoryTable(one holding, many ...holding) string {
	var out strings.Builder
	out.WriteString("| connections | half-way, KB | bytes each | peak, KB | bytes each | processor time | of one processor | µs a piece |\n|---|---|---|---|---|---|---|---|\n")
	row := func(h holding, amid, peak string) {
		piece := h.cpu.Seconds() * 1e6 / float64(h.Conns*pieces)
		fmt.Fprintf(&out, "| %v | %d | %s | %d | %s | %.2f s | %.1f %% | %.1f |\n", h.drips,
			h.amid>>10, amid, h.peak>>10, peak, h.cpu.Seconds(), 100*h.cpu.Seconds()/h.took.Seconds(), piece)
	}
	row(one, "–", "–")
	for _, h := range many {
		each := func(many, one int64) string { return fmt.Sprintf("%.0f", float64(many-one)/float64(h.Conns-1)) }
		row(h, each(h.amid, one.amid), each(h.peak, one.peak))
	}
	return out.String()
}
