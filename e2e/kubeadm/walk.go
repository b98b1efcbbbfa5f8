package main

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/heraldlb/herald/e2e/docker"
)

// walk is what docs/kubeadm.md tells a reader to do, step by step.
type walk struct {
	*datacentre
	commands
	archive string
	elector string
	ticket  ticket
	died    string
}

func (w *walk) run(ctx context.Context) error {
	for _, step := range []struct {
		title string
		run   func(context.Context) error
	}{
		{"Herald's image, on every node", w.images},
		{"the static Pod, on the first node", w.firstPod},
		{"kubeadm init", w.init},
		{"a pod network", w.podNetwork},
		{"two more control planes", w.controlPlanes},
		{"a worker", w.worker},
		{"one address for the cluster", w.look},
		{"a Service of type LoadBalancer", w.service},
		{"the node that holds the address dies", w.kill},
		{"it comes back", w.back},
		{"a node is taken away", w.takeAway},
	} {
		fmt.Fprintf(w.out, "\n-- %s: %s\n", w.elector, step.title)
		start := time.Now()
		if err := step.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.title, err)
		}
		fmt.Fprintf(w.out, "-- %s\n", time.Since(start).Round(100*time.Millisecond))
	}
	return nil
}

func (w *walk) images(ctx context.Context) error {
	for _, name := range controlPlanes() {
		if err := w.copy(ctx, name, w.archive, "/herald.tar"); err != nil {
			return err
		}
		if _, err := w.on(ctx, name, importImage); err != nil {
			return err
		}
	}
	return nil
}

// pod writes a node's first static Pod.
func (w *walk) pod(ctx context.Context, name, more string) error {
	if _, err := w.on(ctx, name, mkManifests); err != nil {
		return err
	}
	_, err := w.on(ctx, name, w.first(more))
	return err
}

// replace writes another static Pod on the first node, and waits until that one runs and
// the VIP is back.
func (w *walk) replace(ctx context.Context, more string) error {
	first := controlPlanes()[0]
	const hash = `kubectl -n kube-system get pod herald-cp-1 -o jsonpath='{.metadata.annotations.kubernetes\.io/config\.hash}'`
	var before string
	err := eventually(ctx, time.Minute, func(ctx context.Context) (err error) {
		before, err = w.quietly(ctx, client, hash)
		return err
	})
	if err != nil {
		return err
	}
	if _, err := w.on(ctx, first, w.again(more)); err != nil {
		return err
	}
	return eventually(ctx, 2*time.Minute, func(ctx context.Context) error {
		now, err := w.quietly(ctx, client, hash)
		if err == nil && now == before {
			err = fmt.Errorf("herald-%s is still that of the manifest before", first)
		}
		return err
	})
}

func (w *walk) firstPod(ctx context.Context) error {
	more := ""
	switch w.elector {
	case "raft":
		more, _, _ = w.raft()
	case "lease":
		more = lease
	}
	return w.pod(ctx, controlPlanes()[0], more)
}

func (w *walk) init(ctx context.Context) error {
	first := controlPlanes()[0]
	version, err := w.quietly(ctx, first, "cat /kind/version")
	if err != nil {
		return err
	}
	config, err := fill(initConfig, settings{Version: strings.TrimSpace(version), Endpoint: w.endpoint()})
	if err != nil {
		return err
	}
	if err := w.write(ctx, first, "/kubeadm.yaml", config+inContainers); err != nil {
		return err
	}
	out, err := w.on(ctx, first, kubeadmInit+inContainer)
	if err != nil {
		return err
	}
	for pattern, into := range map[string]*string{
		`--token (\S+)`:                        &w.ticket.token,
		`--discovery-token-ca-cert-hash (\S+)`: &w.ticket.hash,
		`--certificate-key (\S+)`:              &w.ticket.key,
	} {
		match := regexp.MustCompile(pattern).FindStringSubmatch(out)
		if match == nil {
			return fmt.Errorf("kubeadm init prints no %s:\n%s", pattern, docker.Tail(out))
		}
		*into = match[1]
	}
	return w.kubeconfig(ctx)
}

// kubeconfig gives the client the administrator's, which has the VIP in it.
func (w *walk) kubeconfig(ctx context.Context) error {
	config, err := w.quietly(ctx, controlPlanes()[0], "cat "+adminConf)
	if err != nil {
		return err
	}
	if !strings.Contains(config, "https://"+w.endpoint()) {
		return fmt.Errorf("%s is not for %s", adminConf, w.endpoint())
	}
	return w.write(ctx, client, "/root/.kube/config", config)
}

// podNetwork is the one in kind's image: a template.
func (w *walk) podNetwork(ctx context.Context) error {
	const file = "/kind/manifests/default-cni.yaml"
	text, err := w.quietly(ctx, controlPlanes()[0], "cat "+file)
	if err != nil {
		return err
	}
	filled, err := fill(text, struct{ PodSubnet string }{podSubnet})
	if err != nil {
		return err
	}
	if err := w.write(ctx, client, "/root/cni.yaml", filled); err != nil {
		return err
	}
	_, err = w.shows(ctx, "kubectl apply -f /root/cni.yaml")
	return err
}

func (w *walk) controlPlanes(ctx context.Context) error {
	_, joins, all := w.raft()
	more := map[string]string{"raft": joins, "lease": lease}[w.elector]
	for _, name := range controlPlanes()[1:] {
		// Before it joins: a node whose API server is not ready takes no VIP.
		if err := w.pod(ctx, name, more); err != nil {
			return err
		}
		if _, err := w.on(ctx, name, w.joinControlPlane(w.ticket)+inContainer); err != nil {
			return err
		}
	}
	if w.elector == "raft" { // now that a quorum of three is there
		return w.replace(ctx, all)
	}
	return nil
}

func (w *walk) worker(ctx context.Context) error {
	for _, name := range workers() {
		if _, err := w.on(ctx, name, w.joinWorker(w.ticket)+inContainer); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) look(ctx context.Context) error {
	if _, err := w.on(ctx, client, "kubectl wait node --all --for condition=Ready --timeout 3m"); err != nil {
		return err
	}
	// It is all on the first node, which may be the one to die.
	if _, err := w.shows(ctx, spreadDNS); err != nil {
		return err
	}
	out, err := w.shows(ctx, getNodes)
	if err != nil {
		return err
	}
	if got := strings.Count(out, " Ready "); got != len(nodes()) {
		return fmt.Errorf("%d of %d nodes are ready", got, len(nodes()))
	}
	if _, err := w.on(ctx, client, "kubectl -n kube-system wait pod -l app.kubernetes.io/name=herald --for condition=Ready --timeout 2m"); err != nil {
		return err
	}
	out, err = w.shows(ctx, getPods)
	if err != nil {
		return err
	}
	if got := strings.Count(out, "Running"); got != len(controlPlanes()) {
		return fmt.Errorf("%d of Herald's Pods run", got)
	}
	_, err = w.holder(ctx)
	return err
}

// holder returns the one node that has the VIP. It may be on its way.
func (w *walk) holder(ctx context.Context) (string, error) {
	var holder string
	err := eventually(ctx, most, func(ctx context.Context) error {
		holders := w.holders(ctx)
		if len(holders) != 1 {
			return fmt.Errorf("%s is on %v", w.vip, holders)
		}
		holder = holders[0]
		return nil
	})
	if err == nil {
		fmt.Fprintf(w.out, "   %s is on %s\n", w.vip, holder)
	}
	return holder, err
}

func (w *walk) holders(ctx context.Context) []string {
	var all []string
	for _, name := range controlPlanes() {
		out, err := w.quietly(ctx, name, getVIP)
		if err != nil {
			continue // it is dead
		}
		if strings.Contains(out, " "+w.vip.String()+"/32 ") {
			all = append(all, name)
		}
	}
	return all
}

func (w *walk) service(ctx context.Context) error {
	for _, line := range []string{
		"kubectl -n kube-system rollout status deployment coredns --timeout 3m",
		pools(w.address(poolFirst), w.address(poolLast)),
		expose,
		"kubectl -n kube-system wait service web --for jsonpath='{.status.loadBalancer.ingress[0].ip}' --timeout 1m",
		getService,
	} {
		if _, err := w.shows(ctx, line); err != nil {
			return err
		}
	}
	return w.answers(ctx)
}

func (w *walk) answers(ctx context.Context) error {
	const line = "curl --silent --show-error --fail --max-time 2 http://$(kubectl -n kube-system get service web -o jsonpath='{.status.loadBalancer.ingress[0].ip}')/ready"
	fmt.Fprintf(w.out, "%s# %s\n", client, line)
	return eventually(ctx, time.Minute, func(ctx context.Context) error {
		out, err := w.quietly(ctx, client, line)
		if err == nil {
			fmt.Fprintln(w.out, out)
		}
		return err
	})
}
