//go:build linux

package main

import (
	"debug/elf"
	"errors"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
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
