//go:build linux

package main

import (
	"context"
	"debug/elf"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/shoalfetch/shoal/bench/build"
)

// TestSteps counts a few fetches of the real program.
func TestSteps(t *testing.T) {
	o := options{fetches: 5, conns: 1, size: 100, top: 1000}
	var out strings.Builder
	err := o.run(t.Context(), &out)
	if errors.Is(err, syscall.EPERM) {
		t.Skip("NOT TESTED: this system does not let a process trace another")
	}
	require.NoError(t, err)
	require.Regexp(t, `^\d{4,5} instructions a fetch`, out.String())
	for _, function := range []string{"fetch.(*loop).turn", "poller.(*Poller).wait", "http1.(*Parser).Next", "kernel.(*Real).Recv"} {
		require.Contains(t, out.String(), function+" |", "the loop's thread is the one that is counted")
	}
}

// TestCancelled: a count that is given up, at whatever moment, leaves no process
// behind.
func TestCancelled(t *testing.T) {
	shoal, err := build.Shoal(t.Context(), t.TempDir())
	require.NoError(t, err)
	for after := 100 * time.Millisecond; after < time.Second; after += 150 * time.Millisecond {
		ctx, cancel := context.WithTimeout(t.Context(), after)
		err := options{program: shoal, fetches: 100_000, conns: 2}.run(ctx, io.Discard)
		cancel()
		if errors.Is(err, syscall.EPERM) {
			t.Skip("NOT TESTED: this system does not let a process trace another")
		}
		require.Error(t, err)
		requireNoProcess(t)
	}
}

// TestEnds: a program that makes no fetch is not waited for.
func TestEnds(t *testing.T) {
	program := filepath.Join(t.TempDir(), "false")
	build := exec.Command("go", "build", "-o", program, filepath.Join("testdata", "false.go"))
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.ErrorIs(t, options{program: program, fetches: 1, conns: 1}.run(t.Context(), io.Discard), errEnded)
	requireNoProcess(t)
}

func requireNoProcess(t *testing.T) {
	t.Helper()
	_, err := syscall.Wait4(-1, nil, syscall.WALL|syscall.WNOHANG, nil)
	require.Equal(t, syscall.ECHILD, err)
}

func TestOptions(t *testing.T) {
	for _, o := range []options{{}, {fetches: 1}, {fetches: 1, conns: 1, size: -1}, {conns: 1}} {
		require.ErrorContains(t, o.run(t.Context(), nil), "at least one fetch")
	}
}

func TestFunctions(t *testing.T) {
	symbol := func(name string, value, size uint64) elf.Symbol {
		return elf.Symbol{Name: name, Value: value, Size: size}
	}
	f := functions{symbol("a", 10, 5), symbol("b", 15, 5), symbol("c", 30, 1)}
	const elsewhere = "(the kernel's page of time)"
	for address, name := range map[uint64]string{9: elsewhere, 10: "a", 14: "a", 15: "b", 19: "b", 20: elsewhere, 30: "c", 31: elsewhere} {
		require.Equal(t, name, f.at(address), address)
	}
	var out strings.Builder
	require.NoError(t, f.report(&out, &count{map[uint64]int{10: 3, 12: 1, 15: 2, 30: 2}, 2}, 2))
	require.Equal(t, "4 instructions a fetch, outside of the kernel\n\n| instructions | share | function |\n|---|---|---|\n"+
		"| 2 | 50.0 % | a |\n| 1 | 25.0 % | b |\n", out.String())
}
