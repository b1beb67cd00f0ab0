package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// buildPeers builds the peers. Those that this machine lacks the program for
// are left out, aloud, unless they were asked for by name.
func buildPeers(ctx context.Context, chosen []peer, byName bool, work string) ([]peer, error) {
	var built []peer
	for _, p := range chosen {
		program, err := p.build(ctx, work)
		if errors.Is(err, exec.ErrNotFound) && !byName {
			fmt.Fprintf(os.Stderr, "bench: WITHOUT %s: %v\n", p.name, err)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
		p.program = program
		built = append(built, p)
	}
	return built, nil
}

var (
	//go:embed floor/floor.c
	floorSource []byte
	//go:embed launch/launch.c
	launchSource []byte
)

func buildFloor(ctx context.Context, work string) (string, error) {
	return buildC(ctx, work, "floor", floorSource)
}

func buildLaunch(ctx context.Context, work string) (string, error) {
	return buildC(ctx, work, "launch", launchSource)
}

func buildC(ctx context.Context, work, name string, text []byte) (string, error) {
	program := filepath.Join(work, name)
	source := program + ".c"
	if err := os.WriteFile(source, text, 0o600); err != nil {
		return "", err
	}
	_, err := output(exec.CommandContext(ctx, "cc", "-O2", "-o", program, source))
	return program, err
}

// buildPeer builds one of the peers in Go, which are a module of their own.
func buildPeer(name string) func(context.Context, string) (string, error) {
	return func(ctx context.Context, work string) (string, error) {
		root, err := output(exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/shoalfetch/shoal"))
		if err != nil {
			return "", err
		}
		program := filepath.Join(work, name)
		command := exec.CommandContext(ctx, "go", "build", "-o", program, "./"+name)
		command.Dir = filepath.Join(strings.TrimSpace(root), "bench", "peers")
		_, err = output(command)
		return program, err
	}
}

// output is what a command writes, or an error with all that it said.
func output(command *exec.Cmd) (string, error) {
	var said strings.Builder
	command.Stderr = &said
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("%w\n%s%s", err, out, said.String())
	}
	return string(out), nil
}
