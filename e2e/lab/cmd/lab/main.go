// Command lab brings up, uses and takes down a cluster in network namespaces.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/spf13/cobra"
)

// The first thread stays main's: threads that enter a network namespace end
// afterwards, which the first one cannot.
func init() { runtime.LockOSThread() } //nolint:gochecknoinits // main may begin on another thread

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command().ExecuteContext(ctx); err != nil {
		if !errors.Is(err, context.Canceled) {
			fmt.Fprintln(os.Stderr, "lab:", err)
		}
		os.Exit(1)
	}
}

func command() *cobra.Command {
	root := &cobra.Command{
		Use:           "lab",
		Short:         "A Kubernetes cluster with Herald in network namespaces, for this checkout and user",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(up(), down(), status(), execute(), kubectl(), kubeconfig(), logs(),
		initialize(), supervise(), runKubelet(), runContainer(), execInContainer())
	return root
}
