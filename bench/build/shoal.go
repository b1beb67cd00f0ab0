// Package build makes the program that the benchmarks measure.
package build

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
)

// Shoal builds shoal from this tree into a folder, and gives the program's path.
func Shoal(ctx context.Context, folder string) (string, error) {
	program := filepath.Join(folder, "shoal")
	said, err := exec.CommandContext(ctx, "go", "build", "-o", program, "github.com/shoalfetch/shoal/cmd/shoal").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build shoal: %w\n%s", err, said)
	}
	return program, nil
}
