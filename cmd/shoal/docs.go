package main

import (
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

// docsCommand is shoal docs DIR: it writes the man page and the completions of
// root, from the definitions that --help comes from. It is for packagers, so
// --help does not list it.
func docsCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:    "docs DIR",
		Short:  "Write the man page, and completions for bash, zsh and fish, into DIR",
		Args:   cobra.ExactArgs(1),
		Hidden: true,
		RunE:   func(_ *cobra.Command, args []string) error { return writeDocs(root, args[0]) },
	}
}

// writeDocs makes dir if need be, and replaces what is there by the same names.
func writeDocs(root *cobra.Command, dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	page := manPage(root, new(settings).groups())
	if err := os.WriteFile(filepath.Join(dir, "shoal.1"), []byte(page), 0o666); err != nil {
		return err
	}
	const withDescriptions = true
	if err := root.GenBashCompletionFileV2(filepath.Join(dir, "shoal.bash"), withDescriptions); err != nil {
		return err
	}
	if err := root.GenZshCompletionFile(filepath.Join(dir, "_shoal")); err != nil {
		return err
	}
	return root.GenFishCompletionFile(filepath.Join(dir, "shoal.fish"), withDescriptions)
}
