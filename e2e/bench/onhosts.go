package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/heraldlb/herald/e2e/bench/balance"
	"github.com/heraldlb/herald/e2e/bench/expose"
	"github.com/heraldlb/herald/e2e/bench/mass"
	"github.com/heraldlb/herald/e2e/bench/outage"
	"github.com/heraldlb/herald/e2e/bench/site"
	"github.com/heraldlb/herald/e2e/bench/soak"
	"github.com/heraldlb/herald/e2e/plane"
)

// asking is the command that asks an API server again and again.
const asking = "ask"

// onHosts are the commands that this program starts itself with on the lab's
// hosts.
func onHosts() []*cobra.Command {
	return []*cobra.Command{
		hidden(balancing+" PLAN", cobra.ExactArgs(1), func(cmd *cobra.Command, args []string) error {
			return balance.Balance(cmd.Context(), args[0], cmd.ErrOrStderr())
		}),
		hidden(asking+" URL INTERVAL", cobra.ExactArgs(2), func(cmd *cobra.Command, args []string) error {
			interval, err := time.ParseDuration(args[1])
			if err != nil {
				return err
			}
			return plane.Ask(cmd.Context(), args[0], interval, cmd.OutOrStdout())
		}),
		hidden("prober INTERFACE", cobra.ExactArgs(1), func(cmd *cobra.Command, args []string) error {
			return expose.Prober(cmd.Context(), args[0], cmd.InOrStdin(), cmd.OutOrStdout())
		}),
		hidden("asker TASK", cobra.ExactArgs(1), func(cmd *cobra.Command, args []string) error {
			var task outage.Task
			if err := json.Unmarshal([]byte(args[0]), &task); err != nil {
				return err
			}
			return outage.Run(cmd.Context(), task, cmd.InOrStdin(), cmd.OutOrStdout())
		}),
		hidden("survey", cobra.NoArgs, func(cmd *cobra.Command, _ []string) error {
			return mass.Survey(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout())
		}),
		hidden("watcher INTERFACE", cobra.ExactArgs(1), func(cmd *cobra.Command, args []string) error {
			return soak.Watch(cmd.Context(), args[0], cmd.InOrStdin(), cmd.OutOrStdout())
		}),
		hidden("pauser PID", cobra.ExactArgs(1), func(cmd *cobra.Command, args []string) error {
			pid, err := strconv.Atoi(args[0])
			if err != nil {
				return err
			}
			return soak.Pause(cmd.Context(), pid, cmd.InOrStdin(), cmd.OutOrStdout())
		}),
		hidden("metronome", cobra.NoArgs, func(cmd *cobra.Command, _ []string) error {
			return soak.Metronome(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout())
		}),
		hidden("echo", cobra.NoArgs, func(cmd *cobra.Command, _ []string) error {
			return outage.Echo(cmd.Context(), func() error {
				_, err := fmt.Fprintln(cmd.OutOrStdout(), "ready")
				return err
			})
		}),
		hidden("crash INTERFACE PID…", cobra.MinimumNArgs(1), func(cmd *cobra.Command, args []string) error {
			var pids []int
			for _, text := range args[1:] {
				pid, err := strconv.Atoi(text)
				if err != nil {
					return err
				}
				pids = append(pids, pid)
			}
			return site.CrashHere(args[0], pids, cmd.OutOrStdout())
		}),
	}
}

func hidden(use string, args cobra.PositionalArgs, run func(*cobra.Command, []string) error) *cobra.Command {
	return &cobra.Command{Use: use, Hidden: true, Args: args, RunE: run}
}
