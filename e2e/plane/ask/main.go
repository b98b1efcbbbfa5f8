// Command ask asks an API server again and again for a URL, and prints what became of each
// request: ask URL INTERVAL.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/heraldlb/herald/e2e/plane"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "ask:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("%d arguments: URL INTERVAL", len(args))
	}
	interval, err := time.ParseDuration(args[1])
	if err != nil {
		return err
	}
	return plane.Ask(ctx, args[0], interval, os.Stdout)
}
