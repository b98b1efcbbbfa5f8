package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/types"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/heraldlb/herald/controllers/loadbalancer"
	"github.com/heraldlb/herald/status"
)

// outputWide is text with more columns, as kubectl has it.
const outputWide = "wide"

type statusFlags struct {
	kubeconfig string
	configMap  namespacedName
	namespace  string
	classes    []string
	classOnly  bool
	output     string
}

func newStatusCommand() *cobra.Command {
	flags := &statusFlags{
		configMap: namespacedName{Namespace: "herald-system", Name: "herald"},
		namespace: "herald-system",
		classes:   []string{loadbalancer.DefaultClass},
		output:    outputText,
	}
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show pools and their use, addresses and who owns them, and who hears whom",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.run(cmd.Context(), cmd.OutOrStdout())
		},
	}
	set := cmd.Flags()
	set.StringVar(&flags.kubeconfig, "kubeconfig", flags.kubeconfig, "kubeconfig file (default: $KUBECONFIG, the Pod's ServiceAccount, ~/.kube/config)")
	set.Var(&flags.configMap, "config-map", "ConfigMap of the address pools, NAMESPACE/NAME")
	set.StringVar(&flags.namespace, "namespace", flags.namespace, "namespace that Herald runs in")
	set.StringSliceVar(&flags.classes, "class", flags.classes, "spec.loadBalancerClass that Herald serves; repeatable")
	set.BoolVar(&flags.classOnly, "class-only", flags.classOnly, "Services without a class are not Herald's")
	set.StringVarP(&flags.output, "output", "o", flags.output, "text, wide (who sees whom, too) or json")
	complete(cmd, "output", outputText, outputWide, outputJSON)
	return cmd
}

func (f *statusFlags) run(ctx context.Context, out io.Writer) error {
	switch f.output {
	case outputText, outputWide, outputJSON:
	default:
		return fmt.Errorf("--output %q: %s, %s or %s", f.output, outputText, outputWide, outputJSON)
	}
	restConfig, err := (&clusterFlags{kubeconfig: f.kubeconfig}).restConfig()
	if err != nil {
		return err
	}
	core, err := corev1client.NewForConfig(restConfig)
	if err != nil {
		return fmt.Errorf("set up the client: %w", err)
	}
	report, err := status.Gather(ctx, core, status.Options{
		Pools:     types.NamespacedName(f.configMap),
		Class:     loadbalancer.Class{Names: f.classes, Default: !f.classOnly},
		Namespace: f.namespace,
	})
	if err != nil {
		return err
	}
	if f.output != outputJSON {
		return report.WriteText(out, time.Now(), f.output == outputWide)
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(report)
}
