package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/heraldlb/herald/manifest"
	"github.com/heraldlb/herald/manifest/settings"
	"github.com/heraldlb/herald/supervise"
)

const (
	// managerGrace is how long the processes may take to end, less than the kubelet
	// grants a Pod of kube-vip's.
	managerGrace   = 20 * time.Second
	serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount"
	// kubeVIPPools is where kube-vip's cloud provider has them.
	kubeVIPPools = "kube-system/kubevip"
)

// newManagerCommand returns what kube-vip's own manifests call: its name is part of them.
func newManagerCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "manager",
		Short: "Run in a container of kube-vip's, by its flags and environment: all of Herald in one",
		Long: `Run what a manifest of kube-vip's asks for after its image was changed: all that
Herald needs in one container, with all its rights. "herald manifest" prints
manifests that grant each process its own.`,
		Args: cobra.NoArgs,
	}
	takeSettings(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		o, err := readSettings(cmd.Flags(), cmd.ErrOrStderr())
		if err != nil {
			return err
		}
		if err := inPlace(&o); err != nil {
			return err
		}
		return runRoles(cmd.Context(), &o, cmd.ErrOrStderr())
	}
	return cmd
}

// inPlace fills in what a container of kube-vip's has, and what kube-vip takes for
// granted.
func inPlace(o *manifest.Options) error {
	if o.NodeName == "" {
		host, err := os.Hostname()
		if err != nil {
			return fmt.Errorf("environment vip_nodename is not set, and there is no name of the host: %w", err)
		}
		o.NodeName = strings.ToLower(host) // as the kubelet does
	}
	ca, err := credentials(o, serviceAccount)
	if err != nil {
		return err
	}
	if o.VIP.Health.CA == "" {
		o.VIP.Health.CA = ca
	}
	if o.Service.Pools == "" {
		o.Service.Pools = kubeVIPPools
	}
	if o.Service.Classes == nil {
		o.Service.Classes = settings.Classes()
	}
	return o.Complete()
}

// credentials finds the way to the API that kube-vip would take, and returns the file
// of its certificate authority. An API server that answers no stranger, as K3s' and
// RKE2's, is asked for its health by the same ServiceAccount.
func credentials(o *manifest.Options, serviceAccount string) (string, error) {
	path := o.Kubeconfig
	if path == "" {
		path = adminKubeconfig
	}
	config, err := clientcmd.LoadFromFile(path)
	ca := filepath.Join(serviceAccount, "ca.crt")
	if _, inCluster := os.Stat(ca); err != nil && inCluster == nil {
		o.Kubeconfig = ""
		if o.VIP.Health.Certificate == "" {
			o.VIP.Health.Token = filepath.Join(serviceAccount, "token")
		}
		return ca, nil
	}
	if err != nil {
		return "", fmt.Errorf("neither a kubeconfig nor a ServiceAccount: %w", err)
	}
	o.Kubeconfig = path
	chosen := config.Contexts[config.CurrentContext]
	if chosen == nil || config.Clusters[chosen.Cluster] == nil {
		return "", fmt.Errorf("kubeconfig %s: its current context is of no cluster", path)
	}
	cluster := config.Clusters[chosen.Cluster]
	if len(cluster.CertificateAuthorityData) == 0 {
		return cluster.CertificateAuthority, nil
	}
	return store(cluster.CertificateAuthorityData)
}

// store puts text into a file for as long as the container lives.
func store(text []byte) (string, error) {
	if err := os.MkdirAll(os.TempDir(), 0o700); err != nil {
		return "", fmt.Errorf("certificate authority of the kubeconfig: %w", err)
	}
	file, err := os.CreateTemp("", "herald-ca-*.crt")
	if err != nil {
		return "", fmt.Errorf("certificate authority of the kubeconfig: %w", err)
	}
	_, err = file.Write(text)
	return file.Name(), errors.Join(err, file.Close())
}

// runRoles becomes the one process that is asked for, or runs several.
func runRoles(ctx context.Context, o *manifest.Options, output io.Writer) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find Herald's programs: %w", err)
	}
	var programs []supervise.Program
	for _, role := range o.Roles() {
		program := supervise.Program{Name: role.Name, Path: filepath.Join(filepath.Dir(self), role.Program), Args: role.Args}
		for _, v := range role.Env {
			program.Env = append(program.Env, v.Name+"="+v.Value)
		}
		programs = append(programs, program)
	}
	if len(programs) > 1 {
		return supervise.Run(ctx, programs, output, managerGrace)
	}
	if len(programs) == 0 {
		return errors.New("nothing to run")
	}
	one := programs[0]
	if err := syscall.Exec(one.Path, append([]string{one.Path}, one.Args...), append(os.Environ(), one.Env...)); err != nil {
		return fmt.Errorf("run %s: %w", one.Path, err)
	}
	return nil
}
