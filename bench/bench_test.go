package main

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTable(t *testing.T) {
	none := math.NaN()
	floor := result{floorName, []float64{10e-6, 20e-6, 40e-6}}
	shoal := result{"shoal", []float64{11e-6, none, 60e-6}}
	idle := result{"idle", []float64{none, none, none}}
	const head = "| client | CPU µs a fetch: median (min–max) | ÷ floor: median (min–max) |\n|---|---|---|\n"
	require.Equal(t, head+
		"| floor | 20.0 (10.0–40.0) | 1.00 (1.00–1.00) |\n"+
		"| shoal | 35.5 (11.0–60.0) | 1.30 (1.10–1.50) |\n"+
		"| idle | – | – |\n", table([]result{floor, shoal, idle}))
	require.Equal(t, head+"| shoal | 35.5 (11.0–60.0) | – |\n", table([]result{shoal}))
}

func TestVerify(t *testing.T) {
	load := workload{fetches: 3, size: 100}
	served, saved := filepath.Join(t.TempDir(), "served"), filepath.Join(t.TempDir(), "saved")
	require.NoError(t, load.writeFiles(served))
	require.NoError(t, load.writeFiles(saved))
	require.NoError(t, load.verify(saved, served))

	second := filepath.Join(saved, fileName(1))
	whole, err := os.ReadFile(second)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(second, whole[:99], 0o644))
	require.ErrorContains(t, load.verify(saved, served), fileName(1))
	whole[50]++
	require.NoError(t, os.WriteFile(second, whole, 0o644))
	require.ErrorContains(t, load.verify(saved, served), fileName(1))
	whole[50]--
	require.NoError(t, os.WriteFile(second, whole, 0o644))

	left := filepath.Join(saved, ".left-over")
	require.NoError(t, os.WriteFile(left, nil, 0o644))
	require.ErrorContains(t, load.verify(saved, served), "4 files")
	require.NoError(t, os.Remove(left))
	require.NoError(t, os.Remove(second))
	require.Error(t, load.verify(saved, served))
}
