package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// untilSignal is a context that ends with the first of endSignals, and then has
// a *halt for its cause. A second one ends the program at once.
func untilSignal() (context.Context, context.CancelCauseFunc) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	for _, s := range endSignals {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	go func() {
		select {
		case s := <-signals:
			cancel(&halt{exitSignal + int(s.(syscall.Signal)), s.String()})
		case <-ctx.Done():
		}
		signal.Stop(signals)
	}()
	return ctx, cancel
}
