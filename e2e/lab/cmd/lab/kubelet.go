package main

import (
	"log/slog"
	"net/netip"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/heraldlb/herald/e2e/lab/internal/container"
	"github.com/heraldlb/herald/e2e/lab/internal/kubelet"
)

func runKubelet() *cobra.Command {
	var config kubelet.Config
	var addresses string
	cmd := &cobra.Command{
		Use:    "kubelet",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for text := range strings.SplitSeq(addresses, ",") {
				address, err := netip.ParseAddr(text)
				if err != nil {
					return err
				}
				config.Addresses = append(config.Addresses, address)
			}
			return kubelet.Run(cmd.Context(), config, slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil)))
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&config.NodeName, "node-name", "", "the node's name")
	flags.StringVar(&addresses, "addresses", "", "the node's addresses, with commas")
	flags.StringVar(&config.Kubeconfig, "kubeconfig", "", "file with the node's credentials")
	flags.StringVar(&config.State, "state", "", "directory for volumes and containers")
	flags.StringVar(&config.Logs, "logs", "", "directory for the containers' output")
	flags.StringVar(&config.Programs, "programs", "", "directory of herald and herald-announcer")
	flags.StringVar(&config.Certificate, "certificate", "", "files of the serving certificate and key, without .crt and .key")
	return cmd
}

func runContainer() *cobra.Command {
	return &cobra.Command{
		Use:    container.RunVerb,
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE:   func(_ *cobra.Command, args []string) error { return container.Main(args[0]) },
	}
}

func execInContainer() *cobra.Command {
	return &cobra.Command{
		Use:    container.ExecVerb,
		Hidden: true,
		Args:   cobra.MinimumNArgs(3),
		RunE: func(_ *cobra.Command, args []string) error {
			pid, err := strconv.Atoi(args[1])
			if err != nil {
				return err
			}
			return container.ExecMain(args[0], pid, args[2:])
		},
	}
}
