package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/heraldlb/herald/e2e/lab"
)

func up() *cobra.Command {
	parameters := lab.Defaults()
	cmd := &cobra.Command{
		Use:   "up",
		Short: "bring the lab up; nothing happens where the same lab is up",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			text := "the lab is up already"
			_, err := lab.Up(cmd.Context(), parameters, func(line lab.Progress) {
				fmt.Fprintf(cmd.OutOrStdout(), "%5.1f s  %s\n", line.Elapsed.Seconds(), line.Text)
				text = "the lab is up"
			})
			if err == nil {
				fmt.Fprintln(cmd.OutOrStdout(), text)
			}
			return err
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&parameters.Nodes, "nodes", parameters.Nodes, "Kubernetes nodes, 1 to 79")
	flags.StringVar((*string)(&parameters.Family), "family", string(parameters.Family), "IP families: v4, v6 or dual")
	flags.DurationVar(&parameters.ProxyMinSync, "proxy-min-sync", parameters.ProxyMinSync,
		"kube-proxy's least time between two changes of its rules (Kubernetes' own default is 1s)")
	flags.StringVar(&parameters.Deploy, "deploy", parameters.Deploy,
		"kustomization of Herald to apply, relative to the checkout; empty for none")
	return cmd
}

func down() *cobra.Command {
	return &cobra.Command{
		Use:   "down",
		Short: "take the lab down; nothing happens where it is down",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return lab.Down(cmd.Context()) },
	}
}
