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
	"slices"
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

// run runs them, as programs of the host behind the router: that is a client which is in
// none of the nodes' subnets, as one case wants it to be.
func (r *run) run(ctx context.Context) ([]outcome, error) {
	groups, err := groups(r.focus)
	if err != nil {
		return nil, err
	}
	if err := r.loadAgnhost(ctx); err != nil {
		return nil, err
	}
	kubeconfig, err := r.kubeconfig(ctx)
	if err != nil {
		return nil, err
	}
	var failed error // it does also where a case fails
	for _, g := range groups {
		if err := r.place(ctx, g.oneNode); err != nil {
			return nil, err
		}
		failed = errors.Join(failed, r.ginkgo(ctx, kubeconfig, g))
	}
	outcomes, err := r.outcomes()
	if err != nil || ctx.Err() != nil {
		return nil, errors.Join(failed, err)
	}
	return outcomes, nil
}

// place says where Pods come to: all three nodes, which some cases want, or one. The
// others have kubeadm's taint then, for which Kubernetes' tests do not wait.
func (r *run) place(ctx context.Context, oneNode bool) error {
	const taint = "node-role.kubernetes.io/control-plane"
	nodes, change := []string{kind.ControlPlane}, taint+"-"
	if oneNode {
		nodes, change = kind.Nodes()[1:], taint+"=:NoSchedule"
	}
	_, err := r.cluster.Kubectl(ctx, slices.Concat([]string{"taint", "node"}, nodes, []string{change})...)
	return err
}

func (r *run) ginkgo(ctx context.Context, kubeconfig string, g group) (err error) {
	args := []string{
		filepath.Join(r.bin, "ginkgo"), "run", "--procs", strconv.Itoa(r.procs), "--timeout", "1h",
		"--no-color", "--silence-skips", "--output-dir", r.report, "--json-report", g.name + ".json",
	}
	for _, text := range g.focus {
		args = append(args, "--focus", text)
	}
	for _, text := range g.skip {
		args = append(args, "--skip", text)
	}
	args = append(args, filepath.Join(r.bin, "e2e.test"), "--", "--kubeconfig", kubeconfig, "--kubectl-path", filepath.Join(r.bin, "kubectl"),
		"--provider", "skeleton", "--num-nodes", strconv.Itoa(len(kind.Nodes())))
	cmd := r.cluster.Command(ctx, kind.Remote, args...)
	log, err := os.Create(filepath.Join(r.report, g.name+".log"))
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
	fmt.Fprintln(r.out, "kind: Kubernetes' tests:", log.Name())
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

// outcomes reads Ginkgo's reports.
func (r *run) outcomes() ([]outcome, error) {
	files, err := filepath.Glob(filepath.Join(r.report, "*.json"))
	if err != nil {
		return nil, err
	}
	var outcomes []outcome
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var reports []types.Report
		if err := json.Unmarshal(text, &reports); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for _, report := range reports {
			for _, spec := range report.SpecReports {
				if o, ok := outcomeOf(spec); ok {
					outcomes = append(outcomes, o)
				}
			}
		}
	}
	return outcomes, nil
}
