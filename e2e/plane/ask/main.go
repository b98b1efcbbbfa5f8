// Command ask asks an API server again and again if it is ready, and prints what became of
// each request: ask ADDRESS:PORT INTERVAL.
package main

import (
	"context"
	"fmt"
	"net/netip"
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
		return fmt.Errorf("%d arguments: ADDRESS:PORT INTERVAL", len(args))
	}
	at, err := netip.ParseAddrPort(args[0])
	if err != nil {
		return err
	}
	interval, err := time.ParseDuration(args[1])
	if err != nil {
		return err
	}
	return plane.Ask(ctx, at, interval, os.Stdout)
}
