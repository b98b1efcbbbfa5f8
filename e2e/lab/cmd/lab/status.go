package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/heraldlb/herald/e2e/lab"
)

func status() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "status",
		Short: "hosts with their addresses, and processes; exit code 1 where the lab is down",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			status, err := lab.Inspect(cmd.Context())
			if err != nil {
				return err
			}
			switch format {
			case "json":
				encoder := json.NewEncoder(cmd.OutOrStdout())
				encoder.SetIndent("", "  ")
				return encoder.Encode(status)
			case "":
				return show(cmd.OutOrStdout(), status)
			default:
				return fmt.Errorf("output %q: want json or nothing", format)
			}
		},
	}
	cmd.Flags().StringVarP(&format, "output", "o", "", "json, or a table where it is left out")
	return cmd
}

func show(to io.Writer, status lab.Status) error {
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "lab:\t%s, %d nodes, %s\n", status.Phase, status.Parameters.Nodes, status.Parameters.Family)
	fmt.Fprintf(table, "API server:\t%s\n", status.Server)
	for _, pool := range status.Pools {
		fmt.Fprintf(table, "pool:\t%s\n", pool)
	}
	fmt.Fprintln(table, "\nHOST\tMAC\tADDRESSES")
	for _, host := range status.Hosts {
		fmt.Fprintf(table, "%s\t%s\t", host.Name, host.MAC)
		for _, address := range host.Addresses {
			fmt.Fprintf(table, "%s ", address)
		}
		fmt.Fprintln(table)
	}
	fmt.Fprintln(table, "\nHOST\tPROCESS\tPID\tSTATE")
	for _, process := range status.Processes {
		state := "running"
		if process.Exit != "" {
			state = process.Exit
		}
		fmt.Fprintf(table, "%s\t%s\t%d\t%s\n", process.Host, process.Component, process.PID, state)
	}
	return table.Flush()
}
