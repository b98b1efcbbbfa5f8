package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/types"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/heraldlb/herald/controllers/announcement"
)

// rebalanceTimeout bounds the one request.
const rebalanceTimeout = 30 * time.Second

type rebalanceFlags struct {
	kubeconfig string
	configMap  namespacedName
}

func newRebalanceCommand() *cobra.Command {
	flags := &rebalanceFlags{configMap: newClusterFlags("", "").configMap}
	cmd := &cobra.Command{
		Use:   "rebalance",
		Short: "Spread the addresses over the nodes anew: a node that returned takes nothing back of its own accord",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return flags.run(cmd.Context(), cmd.OutOrStdout())
		},
	}
	flags.register(cmd.Flags())
	return cmd
}

func (f *rebalanceFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.kubeconfig, "kubeconfig", f.kubeconfig, "kubeconfig file (default: $KUBECONFIG, the Pod's ServiceAccount, ~/.kube/config)")
	flags.Var(&f.configMap, "config-map", "ConfigMap of the address pools, NAMESPACE/NAME: the agents watch it")
}

func (f *rebalanceFlags) run(ctx context.Context, out io.Writer) error {
	restConfig, err := (&clusterFlags{kubeconfig: f.kubeconfig}).restConfig()
	if err != nil {
		return err
	}
	core, err := corev1client.NewForConfig(restConfig)
	if err != nil {
		return fmt.Errorf("set up the client: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, rebalanceTimeout)
	defer cancel()
	word, err := announcement.Rebalance(ctx, core, types.NamespacedName(f.configMap))
	if err != nil {
		return fmt.Errorf("nobody was asked to spread addresses (see --config-map): %w", err)
	}
	_, err = fmt.Fprintf(out, `ConfigMap %s has the annotation %s: %s.
Each node that sees it hands over those of its addresses that fall to another; "herald status" shows who owns what.
`, &f.configMap, announcement.AnnotationRebalance, word)
	return err
}
