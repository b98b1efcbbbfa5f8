// Command herald gives the Services of a bare-metal Kubernetes cluster their
// load-balancer addresses. Each subcommand has a file of its own; none does
// more than read its flags and start the packages that do the work.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// version is stamped in by the linker: -ldflags "-X main.version=v1.2.3".
var version = "devel"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	root := newRootCommand()
	asPlugin(root, os.Args[0])
	err := root.ExecuteContext(ctx)
	stop()
	printError(os.Stderr, err)
	os.Exit(exitCode(err))
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "herald",
		Short:         "Addresses for Services of type LoadBalancer, from the cluster's own nodes",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(
		newControllerCommand(),
		newAgentCommand(),
		newAnnouncerCommand(),
		newCheckCommand(),
		newCleanupCommand(),
		newControlPlaneCommand(),
		newConvertCommand(),
		newManCommand(),
		newManagerCommand(),
		newManifestCommand(),
		newRebalanceCommand(),
		newStatusCommand(),
		newVersionCommand(),
	)
	root.AddCommand(newTopics()...)
	return root
}
