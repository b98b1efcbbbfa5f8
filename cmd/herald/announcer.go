package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"
)

// announcerProgram is the wire side, beside this program.
const announcerProgram = "herald-announcer"

// newAnnouncerCommand returns a command that replaces this process by the
// announcer: a program of its own, without a Kubernetes client in its memory.
func newAnnouncerCommand() *cobra.Command {
	return &cobra.Command{
		Use:                "announcer",
		Short:              "Answer ARP and NDP for the addresses that the agent names (runs herald-announcer)",
		DisableFlagParsing: true,
		RunE: func(_ *cobra.Command, args []string) error {
			self, err := os.Executable()
			if err != nil {
				return fmt.Errorf("find %s: %w", announcerProgram, err)
			}
			program := filepath.Join(filepath.Dir(self), announcerProgram)
			if err := syscall.Exec(program, append([]string{program}, args...), os.Environ()); err != nil {
				return fmt.Errorf("run %s: %w", program, err)
			}
			return nil
		},
	}
}
