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
	flags.IntVar(&parameters.ControlPlanes, "control-planes", parameters.ControlPlanes, "hosts with an API server and a member of etcd, 1 to 9")
	flags.StringVar(&parameters.VIP, "vip", "", "address that Herald holds for the control plane, or one of each family with a comma between; auto: those that are free for it")
	flags.StringVar(&parameters.Elector, "elector", "", "who chooses the VIP's holder: heartbeat (default), raft or lease; bgp: all have it, and the router, which is BIRD, is told; keepalived: that and HAProxy in the place of Herald")
	flags.BoolVar(&parameters.Balance, "lb", false, "the VIP's holder shares connections out to all API servers")
	flags.StringVar(&parameters.AnnouncerArgs, "announcer-args", "", "further arguments of the control planes' herald announcer")
	flags.StringVar(&parameters.ElectorArgs, "elector-args", "", "further arguments of the control planes' herald controlplane")
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
