package main

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

const (
	memoryDir = "/dev/shm" // a file system in memory, on Linux
	pageBytes = 4096
)

// newWorkspace makes a folder with room for so many bytes, in memory if it can.
func newWorkspace(need int) (dir string, inMemory bool, err error) {
	base := memoryDir
	if _, err := os.Stat(base); err != nil {
		base = os.TempDir()
		fmt.Fprintf(os.Stderr, "bench: no %s: files go to %s, and its file system is measured too\n", memoryDir, base)
	}
	free, err := freeBytes(base)
	if err != nil {
		return "", false, err
	}
	if free < need {
		return "", false, fmt.Errorf("%s has %d MB free, %d are needed: a smaller -share, or other -workloads", base, free>>20, need>>20)
	}
	dir, err = os.MkdirTemp(base, "shoal-bench-")
	return dir, base == memoryDir, err
}

// freeBytes asks df(1), in the one output form that POSIX lays down.
func freeBytes(dir string) (int, error) {
	said, err := exec.Command("df", "-Pk", dir).Output()
	if err != nil {
		return 0, fmt.Errorf("df: %w", err)
	}
	_, row, _ := strings.Cut(string(said), "\n")
	columns := strings.Fields(row)
	if len(columns) < 4 {
		return 0, fmt.Errorf("df -Pk says %q", said)
	}
	kilobytes, err := strconv.Atoi(columns[3])
	return kilobytes << 10, err
}
