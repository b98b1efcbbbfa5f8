package main

import (
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// asPlugin has herald speak of itself as it was called: kubectl runs a program
// kubectl-NAME as `kubectl NAME`.
func asPlugin(root *cobra.Command, program string) {
	if name, ok := strings.CutPrefix(filepath.Base(program), "kubectl-"); ok {
		root.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl " + name}
	}
}

// complete has shells complete a flag by these values.
func complete(cmd *cobra.Command, flag string, values ...string) {
	err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	if err != nil {
		panic(err) // there is no such flag
	}
}
