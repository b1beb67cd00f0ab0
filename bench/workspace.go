package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	memoryDir = "/dev/shm" // a file system in memory, on Linux
	pageBytes = 4096
)

func filesDir(work string) string { return filepath.Join(work, "files") }

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
		return "", false, fmt.Errorf("%s has %d MB free, %d are needed: fewer -rounds or -fetches", base, free>>20, need>>20)
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

// ballast holds memory for the runs' files, in a file for each run. In a virtual
// machine the first touch of a page costs several times what its bytes do, and
// a page that has been free for seconds may be taken back by the host; so every
// page is touched before the first run, and freed just before its own.
type ballast []string

// holdMemory fills the files in turn, a page each: a freed page then has
// neighbours in use, and pages go back to the host only in larger blocks.
func holdMemory(work string, runs, size int) (ballast, error) {
	var held ballast
	var files []*os.File
	defer func() {
		for _, file := range files {
			file.Close()
		}
	}()
	for run := range runs {
		file, err := os.Create(filepath.Join(work, fmt.Sprintf("ballast-%d", run)))
		if err != nil {
			return nil, err
		}
		files = append(files, file)
		held = append(held, file.Name())
	}
	page := make([]byte, pageBytes)
	for range size / pageBytes {
		for _, file := range files {
			if _, err := file.Write(page); err != nil {
				return nil, err
			}
		}
	}
	return held, nil
}

// release frees what the next run will take.
func (b *ballast) release() error {
	if len(*b) == 0 {
		return nil
	}
	next := (*b)[0]
	*b = (*b)[1:]
	return os.Remove(next)
}
