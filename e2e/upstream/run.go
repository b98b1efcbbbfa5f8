package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/onsi/ginkgo/v2/types"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/heraldlb/herald/e2e/kind"
)

// run is one of the cases, on a cluster that is up.
type run struct {
	cluster     *kind.Cluster
	bin, report string
	focus       string
	procs       int
	out         io.Writer // is told what is done
}

// selection is which cases are run: all that ask for a load balancer, and those elsewhere
// that make a Service of that type.
func selection() []string {
	return []string{
		`\[Feature:LoadBalancer\]`,
		`\[sig-network\] Services should complete a service status lifecycle`,
		`\[sig-network\] Services should fail health check node port if there are only terminating endpoints`,
		`\[sig-network\] Services should fallback to .*terminating endpoints when there are no ready endpoints with extern`,
		`\[sig-network\] Services should support externalTrafficPolicy=Local for type=NodePort`,
		`\[sig-network\] Services should serve endpoints on same port and different protocol for internal traffic on Type LoadBalancer`,
		`\[sig-network\] Services should implement NodePort and HealthCheckNodePort correctly when ExternalTrafficPolicy changes`,
		`\[sig-api-machinery\] ResourceQuota should create a ResourceQuota and capture the life of a service`,
		`\[sig-apps\] Deployment should not disrupt a cloud load-balancer's connectivity during rollout`,
	}
}

// run runs them, as programs of the host behind the router: that is a client which is in
// none of the nodes' subnets, as one case wants it to be.
func (r *run) run(ctx context.Context) ([]outcome, error) {
	if err := r.loadAgnhost(ctx); err != nil {
		return nil, err
	}
	// Some cases are for three nodes that Pods may come to.
	if _, err := r.cluster.Kubectl(ctx, "taint", "node", kind.ControlPlane, "node-role.kubernetes.io/control-plane-"); err != nil {
		return nil, err
	}
	kubeconfig, err := r.kubeconfig(ctx)
	if err != nil {
		return nil, err
	}
	failed := r.ginkgo(ctx, kubeconfig) // as it does if a case fails
	outcomes, err := r.outcomes()
	if err != nil || ctx.Err() != nil {
		return nil, errors.Join(failed, err)
	}
	return outcomes, nil
}

func (r *run) ginkgo(ctx context.Context, kubeconfig string) (err error) {
	only := selection()
	if r.focus != "" {
		only = []string{r.focus}
	}
	args := []string{
		filepath.Join(r.bin, "ginkgo"), "run", "--procs", strconv.Itoa(r.procs), "--timeout", "1h",
		"--no-color", "--silence-skips", "--output-dir", r.report, "--json-report", "report.json",
	}
	for _, text := range only {
		args = append(args, "--focus", text)
	}
	args = append(args, filepath.Join(r.bin, "e2e.test"), "--", "--kubeconfig", kubeconfig, "--kubectl-path", filepath.Join(r.bin, "kubectl"),
		"--provider", "skeleton", "--num-nodes", strconv.Itoa(len(kind.Nodes())))
	cmd := r.cluster.Command(ctx, kind.Remote, args...)
	log, err := os.Create(filepath.Join(r.report, "log"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	cmd.Stdout, cmd.Stderr = log, log
	// Ginkgo would compare its version with that of the module around the program.
	cmd.Env = append(os.Environ(), "GO111MODULE=off")
	// Its processes take their leave when it is told to.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = time.Minute
	fmt.Fprintln(r.out, "kind: Kubernetes' tests, some twenty minutes:", log.Name())
	return cmd.Run()
}

// kubeconfig writes an access to the API server by its own address.
func (r *run) kubeconfig(ctx context.Context) (string, error) {
	config, err := clientcmd.LoadFromFile(r.cluster.Kubeconfig)
	if err != nil {
		return "", err
	}
	addresses, err := r.cluster.Addresses(ctx, kind.ControlPlane)
	if err != nil {
		return "", err
	}
	for _, cluster := range config.Clusters {
		cluster.Server = "https://" + netip.AddrPortFrom(addresses[0], 6443).String()
	}
	file := filepath.Join(r.report, "kubeconfig")
	return file, clientcmd.WriteToFile(*config, file)
}

// outcomes reads Ginkgo's report.
func (r *run) outcomes() ([]outcome, error) {
	text, err := os.ReadFile(filepath.Join(r.report, "report.json"))
	if err != nil {
		return nil, err
	}
	var reports []types.Report
	if err := json.Unmarshal(text, &reports); err != nil {
		return nil, err
	}
	var outcomes []outcome
	for _, report := range reports {
		for _, spec := range report.SpecReports {
			if o, ok := outcomeOf(spec); ok {
				outcomes = append(outcomes, o)
			}
		}
	}
	return outcomes, nil
}
