// Command herald-announcer is the wire side of Herald on a node: with those of
// the other nodes it settles who owns which address, and answers ARP and NDP for
// those that are this node's. It is a program of its own so that the process that
// reads strangers' packets holds no Kubernetes client, and stays small.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/heraldlb/herald/nodesocket"
)

// version is stamped in by the linker: -ldflags "-X main.version=v1.2.3".
var version = "devel"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	// A second signal ends what takes its time to leave.
	context.AfterFunc(ctx, stop)
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
		Short:         "Answer ARP and NDP for the addresses that fall to this node, or hold the control plane's; needs CAP_NET_RAW",
		Version:       version,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.setDefaults(cmd.Flags())
			if f.probe {
				return nodesocket.Probe(cmd.Context(), f.socket)
			}
			return f.run(cmd.Context(), cmd.ErrOrStderr())
		},
	}
	f.register(cmd.Flags())
	return cmd
}
