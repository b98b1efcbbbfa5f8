package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/heraldlb/herald/config"
	"github.com/heraldlb/herald/config/configmap"
)

func newCheckCommand() *cobra.Command {
	var flags struct{ file, output, configMap string }
	cmd := &cobra.Command{
		Use:   "check -f FILE",
		Short: "Check a pool ConfigMap, and show what each namespace may get",
		Long: `Check a pool ConfigMap without a cluster: print each fault, then what each
namespace may get. FILE is a manifest in YAML or JSON, such as "kubectl get
configmap -o yaml" prints; other objects in it are passed over.

The exit code is 1 if the ConfigMap has an error: Herald refuses it, and keeps
to the last good one. With warnings alone it is 0.`,
		Example: `  herald check -f pools.yaml
  kubectl get configmap -n herald-system herald -o yaml | herald check -f -`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			checked, err := check(cmd.InOrStdin(), flags.file, flags.configMap)
			if err != nil {
				return err
			}
			if err := checked.write(cmd.OutOrStdout(), flags.output); err != nil {
				return err
			}
			if !checked.Valid {
				return exitError(1)
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&flags.file, "file", "f", "", `the manifest to check; "-" is standard input`)
	cmd.Flags().StringVarP(&flags.output, "output", "o", outputText, "text or json")
	cmd.Flags().StringVar(&flags.configMap, "config-map", "", "NAMESPACE/NAME of the ConfigMap to check, if FILE has several")
	complete(cmd, "output", outputText, outputJSON)
	if err := cmd.MarkFlagRequired("file"); err != nil {
		panic(err) // there is no such flag
	}
	return cmd
}

// check reads the one ConfigMap in a file and reports on it.
func check(stdin io.Reader, file, configMap string) (report, error) {
	text, err := readInput(stdin, file)
	if err != nil {
		return report{}, err
	}
	name := file
	if file == stdinFile {
		name = "stdin"
	}
	all, err := configmap.Read(bytes.NewReader(text))
	if err != nil {
		return report{}, fmt.Errorf("%s: %w", name, err)
	}
	one, err := selectConfigMap(all, configMap)
	if err != nil {
		return report{}, fmt.Errorf("%s: %w", name, err)
	}
	if one.Data == nil {
		return report{}, fmt.Errorf("%s: ConfigMap %s has no data", name, one)
	}
	parsed, faults := config.Parse(one.Data)
	return newReport(name, one, parsed, append(one.Faults, faults...)), nil
}

const stdinFile = "-"

func readInput(stdin io.Reader, file string) ([]byte, error) {
	if file == stdinFile {
		return io.ReadAll(stdin)
	}
	return os.ReadFile(file)
}

// selectConfigMap returns the one that is named, or, without a name, the only one.
func selectConfigMap(all []*configmap.ConfigMap, name string) (*configmap.ConfigMap, error) {
	var wanted []*configmap.ConfigMap
	var names []string
	for _, c := range all {
		names = append(names, c.String())
		if name == "" || c.Is(name) {
			wanted = append(wanted, c)
		}
	}
	switch {
	case len(all) == 0:
		return nil, errors.New("there is no ConfigMap in it")
	case len(wanted) == 0:
		return nil, fmt.Errorf("there is no ConfigMap %s in it, only %s", name, strings.Join(names, ", "))
	case len(wanted) > 1:
		return nil, fmt.Errorf("there are %d ConfigMaps in it (%s); name one with --config-map", len(all), strings.Join(names, ", "))
	}
	return wanted[0], nil
}
