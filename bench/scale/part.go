package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
)

// startPart runs this program as a client that does one part: what it is to do
// goes in as JSON, what it found comes out as JSON.
func startPart(ctx context.Context, part string, what, found any) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	arg, err := json.Marshal(what)
	if err != nil {
		return err
	}
	command := pinned(ctx, clientCore, self, part, string(arg))
	command.Stderr = os.Stderr
	said, err := command.Output()
	if err != nil {
		return fmt.Errorf("%s %s: %w", part, arg, err)
	}
	return json.Unmarshal(said, found)
}
