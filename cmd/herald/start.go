package main

import (
	"context"
	"time"
)

// startAndStop runs start until it returns, but no longer than grace and a moment
// after ctx ends: a manager that waits for its caches does not hear of that, and while
// the API server is away it waits (kubernetes-sigs/controller-runtime#3440).
func startAndStop(ctx context.Context, start func(context.Context) error, grace time.Duration) error {
	done := make(chan error, 1)
	go func() { done <- start(ctx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	timer := time.NewTimer(grace + time.Second)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		return nil
	}
}
