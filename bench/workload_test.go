package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestVerify(t *testing.T) {
	load := workload{Fetches: 3, Size: 100}
	saved := filepath.Join(t.TempDir(), "saved")
	require.NoError(t, load.writeFiles(saved))
	require.NoError(t, load.verify(saved))

	second := filepath.Join(saved, fileName(1))
	whole, err := os.ReadFile(second)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(second, whole[:99], 0o644))
	require.ErrorContains(t, load.verify(saved), fileName(1))
	whole[50]++
	require.NoError(t, os.WriteFile(second, whole, 0o644))
	require.ErrorContains(t, load.verify(saved), fileName(1))
	whole[50]--
	require.NoError(t, os.WriteFile(second, whole, 0o644))

	left := filepath.Join(saved, ".left-over")
	require.NoError(t, os.WriteFile(left, nil, 0o644))
	require.ErrorContains(t, load.verify(saved), "4 files")
	require.NoError(t, os.Remove(left))
	require.NoError(t, os.Rename(filepath.Join(saved, fileName(2)), second))
	require.NoError(t, os.WriteFile(filepath.Join(saved, fileName(2)), whole, 0o644))
	require.ErrorContains(t, load.verify(saved), fileName(1), "two bodies that changed places")
	require.NoError(t, os.Remove(second))
	require.Error(t, load.verify(saved))
}

func TestWorkloadString(t *testing.T) {
	for want, w := range map[string]workload{
		"20,000 × 10 KB, 64 connections":                                                  {Fetches: 20_000, Size: 10_240, Conns: 64},
		"5,000 × 70,057 B, 1 connection":                                                  {Fetches: 5_000, Size: 70_057, Conns: 1},
		"200 × 5 MB, 16 connections at a time, one for each fetch":                        {Fetches: 200, Size: 5 << 20, Conns: 16, NewConns: true},
		"9,000 × 2,000 B, 100 B every 500ms, 9,000 connections":                           {Fetches: 9_000, Size: 2_000, Conns: 9_000, Piece: 100, Delay: 500 * time.Millisecond},
		"TLS, 10 × 10 KB, 64 connections at a time, one for each fetch, sessions resumed": {Fetches: 10, Size: 10_240, Conns: 64, TLS: true, NewConns: true, Resumes: true},
		"TLS, 10 × 2,000 B, 100 B every 500ms, 10 connections":                            {Fetches: 10, Size: 2_000, Conns: 10, Piece: 100, Delay: 500 * time.Millisecond, TLS: true},
		"20 × 10 KB, 64 connections, 2 hosts":                                             {Fetches: 20, Size: 10_240, Conns: 64, Hosts: 2},
		"1,234,567 × 0 B, 64 connections at a time, one for each fetch":                   {Fetches: 1_234_567, Conns: 64, NewConns: true},
	} {
		require.Equal(t, want, w.String())
	}
}

func TestPart(t *testing.T) {
	require.Equal(t, workload{Fetches: 10, Conns: 64}, workload{Fetches: 1000, Conns: 64}.part(10))
	require.Equal(t, workload{Fetches: 1, Conns: 64}, workload{Fetches: 1000, Conns: 64}.part(0))
	require.Equal(t, workload{Fetches: 10, Conns: 10, Piece: 1}, workload{Fetches: 1000, Conns: 1000, Piece: 1}.part(10))
}

// TestRoom: what a run filled is there until the next run, and no longer.
func TestRoom(t *testing.T) {
	dir := t.TempDir()
	r, err := newRoom(dir, 3*pageBytes)
	require.NoError(t, err)
	held, spent := filepath.Join(dir, "held"), filepath.Join(dir, "spent")
	for _, name := range []string{held, spent} {
		info, err := os.Stat(name)
		require.NoError(t, err)
		require.EqualValues(t, 3*pageBytes, info.Size())
	}
	require.NoError(t, r.empty())
	require.FileExists(t, held)
	require.NoFileExists(t, spent)

	out := filepath.Join(dir, "out")
	require.NoError(t, os.Mkdir(out, 0o755))
	r.spend(out)
	require.DirExists(t, out)
	require.NoError(t, r.empty())
	require.NoDirExists(t, out)
	require.NoError(t, r.empty())

	onDisk := &room{}
	require.NoError(t, os.Mkdir(out, 0o755))
	onDisk.spend(out)
	require.NoError(t, onDisk.empty())
	require.DirExists(t, out)
}

func TestOptions(t *testing.T) {
	o, err := parseOptions([]string{"-workloads", "drip,10k", "-peers", "shoal,floor", "-share", "0.1", "-size", "300", "-delay", "1s"})
	require.NoError(t, err)
	require.Equal(t, "10k,drip", names(o.workloads, workloadName))
	require.Equal(t, "floor,shoal", names(o.peers, peerName))
	require.True(t, o.byName)
	require.Equal(t, workload{Name: "10k", Fetches: 2_000, Size: 300, Conns: 64}, o.workloads[0])
	require.Equal(t, workload{Name: "drip", Fetches: 900, Size: 300, Conns: 900, Piece: 100, Delay: time.Second}, o.workloads[1])
	require.Equal(t, 20_000, workloads[0].Fetches, "the table is as it was")

	o, err = parseOptions(nil)
	require.NoError(t, err)
	require.Len(t, o.workloads, len(workloads))
	require.Len(t, o.peers, len(peers))
	require.False(t, o.byName)
	for _, args := range [][]string{{"-workloads", "11k"}, {"-peers", "floor,lynx"}, {"-rounds", "0"}, {"-share", "2"}, {"-size", "-1"}, {"list"}} {
		_, err := parseOptions(args)
		require.Error(t, err, "%q", args)
	}
}
