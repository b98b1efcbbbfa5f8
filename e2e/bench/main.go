// Command bench measures Herald on the lab: a Service's way to its first
// answer, and what clients lose when the owner of an address fails, beside
// other implementations; and prints that, with the figures of Go benchmarks,
// beside what is aimed at.
//
// It drives the cluster from here; the parts that run on the lab's hosts are
// this program again.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/heraldlb/herald/e2e/bench/controlplane"
	"github.com/heraldlb/herald/e2e/bench/expose"
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
		Short:         "measure Herald on the lab; the files are the output of Go benchmarks",
		Args:          cobra.ArbitraryArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, files []string) error {
			return measure(cmd.Context(), options, files, cmd.OutOrStdout())
		},
	}
	cmd.CompletionOptions.DisableDefaultCmd = true
	flags := cmd.Flags()
	flags.IntVar(&options.services, "services", 50, "Services to make of each family; at least 50 for the targets to mean something")
	flags.DurationVar(&options.pace, "pace", expose.DefaultPace, "time from one Service to the next")
	flags.StringSliceVar(&options.only, "only", nil, "measure only these: "+strings.Join(sections(), ", "))
	flags.StringSliceVar(&options.systems, "systems", systems(), "implementations to measure")
	flags.IntVar(&options.runs, "runs", 0, "how often each fault is inflicted; 0 for the default of each")
	flags.IntVar(&options.many, "many", 10_000, "addresses on the node that crashes with many")
	flags.IntVar(&options.routes, "routes", 10_000, "addresses that the nodes tell a router by BGP")
	flags.DurationVar(&options.span, "span", 30*time.Second, "how long costs at rest are measured")
	flags.DurationVar(&options.soak, "soak", 0, "measure instead, for so long, whether an address moves without a fault on a loaded machine")
	flags.IntVar(&options.sequences, "sequences", 8, "sequences of random faults to the control plane, by each elector")
	flags.Uint64Var(&options.seed, "seed", 1, "seed of the first of them; the others count up")
	flags.StringSliceVar(&options.electors, "electors", controlplane.Electors(), "what holds the control plane's VIP to measure")
	flags.BoolVar(&options.reuse, "reuse", false, "use the lab that is up, and leave it up")
	flags.StringVar(&options.json, "json", "", "file for the figures as JSON")
	cmd.AddCommand(onHosts()...)
	return cmd
}
