package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/heraldlb/herald/config/metallb"
)

// exitPartial is what herald convert exits with if it left something out.
const exitPartial = 2

func newConvertCommand() *cobra.Command {
	var flags struct{ file, configMap string }
	cmd := &cobra.Command{
		Use:   "convert -f FILE",
		Short: "Turn MetalLB's resources into Herald's ConfigMap, and say what could not be converted",
		Long: `Read MetalLB's IPAddressPools, L2Advertisements, BGPPeers, BGPAdvertisements,
BFDProfiles and Communities, in YAML or JSON as "kubectl get -o yaml" prints them,
and print the ConfigMap of the pools; other objects are passed over. What has no
counterpart, and what is done in another way, is said on standard error and above
the ConfigMap: where it stands, and why. Passwords are not printed, but how to copy
them is.

The exit code is 0 if all was converted, 2 if something was left out, and 1 if
there is no ConfigMap, since FILE is not to be read.`,
		Example: `  herald convert -f metallb.yaml > pools.yaml; herald check -f pools.yaml
  kubectl get ipaddresspools,l2advertisements,bgppeers,bgpadvertisements,bfdprofiles,communities \
    -n metallb-system -o yaml | herald convert -f - > pools.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			namespace, name, ok := strings.Cut(flags.configMap, "/")
			if !ok || namespace == "" || name == "" {
				return fmt.Errorf("--config-map %q: NAMESPACE/NAME", flags.configMap)
			}
			text, err := readInput(cmd.InOrStdin(), flags.file)
			if err != nil {
				return err
			}
			file := flags.file
			if file == stdinFile {
				file = "stdin"
			}
			conversion, faults := metallb.Convert(string(text))
			if len(faults) > 0 {
				for _, f := range faults {
					fmt.Fprintf(cmd.ErrOrStderr(), "%s:%d:%d: error: %s\n", file, f.Line, f.Column, f.Reason)
				}
				return exitError(1)
			}
			writeNotes(cmd.ErrOrStderr(), file, conversion.Notes)
			if _, err := io.WriteString(cmd.OutOrStdout(), conversion.Manifest(namespace, name, file)); err != nil {
				return err
			}
			if conversion.LeftOut() {
				return exitError(exitPartial)
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&flags.file, "file", "f", "", `the resources; "-" is standard input`)
	cmd.Flags().StringVar(&flags.configMap, "config-map", "herald-system/herald", "NAMESPACE/NAME of the ConfigMap to print")
	if err := cmd.MarkFlagRequired("file"); err != nil {
		panic(err) // there is no such flag
	}
	return cmd
}

// writeNotes writes a line for each note, as compilers do.
func writeNotes(w io.Writer, file string, notes []metallb.Note) {
	for _, n := range notes {
		severity := "note"
		if n.LeftOut {
			severity = "left out"
		}
		fmt.Fprintf(w, "%s:%d:%d: %s: %s\n", file, n.Line, n.Column, severity, n)
	}
}
