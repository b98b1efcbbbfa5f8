// Command bench measures how long it takes from a Service's creation to the
// first answer that a client on the segment gets from its address, and prints
// that, with the figures of Go benchmarks, beside what is aimed at.
//
// It drives the cluster from here; the part that tries the address, prober, is
// this program again, started on the client.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

func command() *cobra.Command {
	var options options
	cmd := &cobra.Command{
		Use:           "bench [FILE…]",
		Short:         "measure a Service's way to its first answer; the files are the output of Go benchmarks",
		Args:          cobra.ArbitraryArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, files []string) error {
			return measure(cmd.Context(), options, files, cmd.OutOrStdout())
		},
	}
	cmd.CompletionOptions.DisableDefaultCmd = true
	flags := cmd.Flags()
	flags.IntVar(&options.runs, "runs", 100, "Services to make of each family; at least 50 for the targets to mean something")
	flags.DurationVar(&options.pace, "pace", defaultPace, "time from one Service to the next")
	flags.BoolVar(&options.reuse, "reuse", false, "use the lab that is up, and leave it up")
	flags.StringVar(&options.json, "json", "", "file for the figures as JSON")
	cmd.AddCommand(proberCommand())
	return cmd
}

func proberCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "prober INTERFACE",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return prober(cmd.Context(), args[0], cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
}
