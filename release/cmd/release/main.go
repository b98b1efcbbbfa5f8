// Command release makes what people install of programs that are built.
package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

func main() {
	root := &cobra.Command{
		Use:           "release",
		Short:         "Make what people install",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(newDistCommand(), newImageCommand(), newInstallCommand())
	if err := root.Execute(); err != nil {
		fmt.Fprintf(os.Stderr, "release: %v\n", err)
		os.Exit(1)
	}
}
