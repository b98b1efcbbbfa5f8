package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/heraldlb/herald/e2e/lab"
)

var errNoCommand = errors.New("want HOST -- CMD…")

func execute() *cobra.Command {
	return &cobra.Command{
		Use:                   "exec HOST -- CMD…",
		Short:                 "run a command on a host: node1…, client, router, remote, cp1 or switch",
		DisableFlagsInUseLine: true,
		Args:                  cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.ArgsLenAtDash() != 1 {
				return errNoCommand
			}
			cluster, err := lab.Open(cmd.Context())
			if err != nil {
				return err
			}
			return become(cluster.Host(args[0]).Command(cmd.Context(), args[1:]...))
		},
	}
}

func kubectl() *cobra.Command {
	return &cobra.Command{
		Use:                "kubectl ARGS…",
		Short:              "run kubectl against the lab",
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			cluster, err := lab.Open(cmd.Context())
			if err != nil {
				return err
			}
			kubectl, err := cluster.Kubectl(cmd.Context(), args...)
			if err != nil {
				return err
			}
			return become(kubectl)
		},
	}
}

func kubeconfig() *cobra.Command {
	return &cobra.Command{
		Use:   "kubeconfig",
		Short: "print an administrator's kubeconfig that works on this machine",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cluster, err := lab.Open(cmd.Context())
			if err != nil {
				return err
			}
			text, err := cluster.Kubeconfig(cmd.Context())
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
}

func logs() *cobra.Command {
	return &cobra.Command{
		Use:   "logs [WORD]",
		Short: "print the logs whose name contains the word, or list all names",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cluster, err := lab.Open(cmd.Context())
			if err != nil {
				return err
			}
			names, err := cluster.Logs(cmd.Context())
			if err != nil {
				return err
			}
			for _, name := range names {
				if len(args) == 0 {
					fmt.Fprintln(cmd.OutOrStdout(), name)
					continue
				}
				if !strings.Contains(name, args[0]) {
					continue
				}
				text, err := cluster.Log(cmd.Context(), name)
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "==> %s\n%s", name, text)
			}
			return nil
		},
	}
}
