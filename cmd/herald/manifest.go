package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/heraldlb/herald/manifest"
	"github.com/heraldlb/herald/manifest/settings"
)

// repository is where the image is, but for its tag.
const repository = "ghcr.io/heraldlb/herald"

func newManifestCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "manifest",
		Short: "Print a static Pod, a DaemonSet or the rights for the control plane's address; kube-vip's flags are taken",
		Long: `Print manifests that work as they are. Flags and environment variables are those
of kube-vip, and some of Herald's own; a flag counts before the environment. What
Herald does in another way than kube-vip is said on standard error.`,
	}
	cmd.AddCommand(newManifestPodCommand(), newManifestDaemonSetCommand(), newManifestRBACCommand())
	return cmd
}

func newManifestPodCommand() *cobra.Command {
	return manifestCommand(&cobra.Command{
		Use:     "pod",
		Short:   "Print a static Pod, for kubeadm",
		Example: "  herald manifest pod --interface eth0 --vip 192.168.0.100 --controlplane --arp > /etc/kubernetes/manifests/herald.yaml",
	}, func(set *pflag.FlagSet, o manifest.Options) ([]any, error) {
		if inCluster, err := set.GetBool("inCluster"); err != nil || inCluster {
			return nil, errors.New("--inCluster: a static Pod has no ServiceAccount; print a DaemonSet, or give --k8sConfigPath")
		}
		pod, err := manifest.Pod(o)
		return []any{pod}, err
	})
}

func newManifestDaemonSetCommand() *cobra.Command {
	cmd := manifestCommand(&cobra.Command{
		Use:     "daemonset",
		Short:   "Print a DaemonSet, for K3s, RKE2 and others",
		Example: "  herald manifest daemonset --distribution k3s --vip 192.168.0.100 --controlplane --arp --inCluster --taint",
	}, func(set *pflag.FlagSet, o manifest.Options) ([]any, error) {
		o.Taint, _ = set.GetBool("taint")
		daemonSet, err := manifest.DaemonSet(o)
		return []any{daemonSet}, err
	})
	cmd.Flags().Bool("taint", false, "run on nodes of the control plane alone, whatever their taints")
	return cmd
}

func newManifestRBACCommand() *cobra.Command {
	cmd := manifestCommand(&cobra.Command{
		Use:   "rbac",
		Short: "Print the ServiceAccount and the rights that the DaemonSet of the same flags needs",
	}, func(set *pflag.FlagSet, o manifest.Options) ([]any, error) {
		for _, narrow := range []string{"role", "rolebinding"} {
			if on, err := set.GetBool(narrow); err != nil || on {
				return nil, fmt.Errorf("--%s: Herald serves all namespaces; without this its rights are no wider than it needs", narrow)
			}
		}
		objects, err := manifest.RBAC(o)
		if err == nil && len(objects) == 0 {
			err = errors.New("nothing that these flags ask for talks to the API: no rights are needed")
		}
		return objects, err
	})
	cmd.Flags().Bool("role", false, "not there: a Role alone")
	cmd.Flags().Bool("rolebinding", false, "not there: a RoleBinding alone")
	return cmd
}

// manifestCommand completes a command that prints objects.
func manifestCommand(cmd *cobra.Command, objects func(*pflag.FlagSet, manifest.Options) ([]any, error)) *cobra.Command {
	cmd.Args = cobra.NoArgs
	takeSettings(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		o, err := readSettings(cmd.Flags(), cmd.ErrOrStderr())
		if err != nil {
			return err
		}
		all, err := objects(cmd.Flags(), o)
		if err != nil {
			return err
		}
		text, err := manifest.YAML(all...)
		if err != nil {
			return err
		}
		_, err = cmd.OutOrStdout().Write(text)
		return err
	}
	return cmd
}

// takeSettings has a command take kube-vip's flags and Herald's.
func takeSettings(cmd *cobra.Command) {
	cmd.Flags().SortFlags = false
	settings.Register(cmd.Flags())
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		unknown, is := errors.AsType[*pflag.NotExistError](err)
		if !is {
			return err
		}
		var names []string
		cmd.Flags().VisitAll(func(flag *pflag.Flag) { names = append(names, flag.Name) })
		if nearest := settings.Nearest(unknown.GetSpecifiedName(), names); nearest != "" {
			return fmt.Errorf("%w; the nearest there is: --%s", err, nearest)
		}
		return err
	})
}

// readSettings returns what flags and environment ask for, and says what it notes.
func readSettings(set *pflag.FlagSet, notes io.Writer) (manifest.Options, error) {
	values, err := settings.Read(set, os.LookupEnv)
	if err != nil {
		return manifest.Options{}, err
	}
	o, lines, err := values.Options()
	if err != nil {
		return o, err
	}
	if err := checkSettings(&o); err != nil {
		return o, err
	}
	for _, line := range lines {
		fmt.Fprintln(notes, "note:", line)
	}
	o.Image = tagged(o.Image)
	return o, nil
}

// tagged completes the name of an image.
func tagged(image string) string {
	if image == "" {
		image = repository
	}
	if name := image[strings.LastIndexByte(image, '/')+1:]; strings.ContainsAny(name, ":@") {
		return image
	}
	return image + ":" + version
}
