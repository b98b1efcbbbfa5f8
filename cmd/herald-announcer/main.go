// Command herald-announcer is the wire side of Herald on a node: it answers ARP
// and NDP for the addresses that the agent tells it of. It is a program of its
// own so that the process that reads strangers' packets holds no Kubernetes
// client, and stays small.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/heraldlb/herald/announcer/l2"
	"github.com/heraldlb/herald/nodesocket"
)

// version is stamped in by the linker: -ldflags "-X main.version=v1.2.3".
var version = "devel"

// The process is to be small rather than spare the garbage collector, which has
// little to do: frames cost no allocation. $GOGC and $GOMEMLIMIT say otherwise.
const (
	gcPercent = 50
	// memoryLimit is in bytes; beyond it the collector works harder. A hundred
	// thousand addresses live in some 90 MiB: under a limit as low as that, it
	// would never rest.
	memoryLimit = 256 << 20
)

type flags struct {
	socket   string
	logLevel string
	probe    bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := newCommand().ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "herald-announcer:", err)
		os.Exit(1)
	}
}

func newCommand() *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:           "herald-announcer",
		Short:         "Answer ARP and NDP for the addresses that the agent names; needs CAP_NET_RAW",
		Version:       version,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.probe {
				return nodesocket.Probe(cmd.Context(), f.socket)
			}
			return f.run(cmd.Context(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&f.socket, "socket", "/run/herald/announcer.sock", "Unix socket to listen on for the agent")
	cmd.Flags().StringVar(&f.logLevel, "log-level", "info", "debug, info, warn or error")
	cmd.Flags().BoolVar(&f.probe, "probe", false, "ask the announcer at --socket for its health, and exit 0 or 1")
	return cmd
}

func (f *flags) run(ctx context.Context, logs io.Writer) error {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.logLevel)); err != nil {
		return fmt.Errorf("--log-level %q: debug, info, warn or error", f.logLevel)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	log := slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: level}))
	log.Info("starting", "version", version, "socket", f.socket)

	server := nodesocket.NewServer(f.socket, log)
	announcer := l2.New(l2.DefaultTiming(), server, log)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return announcer.Run(ctx) })
	group.Go(func() error {
		return server.Run(ctx, nodesocket.Backend{
			Announcer: announcer,
			Samples:   announcer.Samples,
			Health:    announcer.Health,
		})
	})
	return group.Wait()
}
