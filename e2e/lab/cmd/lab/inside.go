package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/heraldlb/herald/e2e/lab/internal/supervisor"
)

// The rest are the lab's own processes: this program, started by itself.

func initialize() *cobra.Command {
	return inside("init", func(_ *cobra.Command, config supervisor.Config) error {
		return supervisor.Init(config)
	})
}

func supervise() *cobra.Command {
	return inside("supervise", func(cmd *cobra.Command, config supervisor.Config) error {
		return supervisor.Run(cmd.Context(), config)
	})
}

func inside(name string, run func(*cobra.Command, supervisor.Config) error) *cobra.Command {
	return &cobra.Command{
		Use:    name,
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var config supervisor.Config
			if err := json.Unmarshal([]byte(args[0]), &config); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			return run(cmd, config)
		},
	}
}
