package main

import (
	"context"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"time"
)

const (
	manifestFile = "/etc/kubernetes/manifests/herald.yaml"
	adminConfig  = "/etc/kubernetes/admin.conf"
)

// walk is what docs/kubeadm.md tells a reader to do, step by step.
type walk struct {
	*datacentre
	herald, archive string
	elector         string
	vip             netip.Addr

	settings settings
}

func (w *walk) run(ctx context.Context) error {
	w.settings.Endpoint = netip.AddrPortFrom(w.vip, 6443).String()
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
	for _, name := range nodes() {
		if err := w.load(ctx, name, w.archive); err != nil {
			return err
		}
	}
	return nil
}

// pod writes the static Pod: the article's command, with the program's name changed.
func (w *walk) pod(ctx context.Context, name, more string) error {
	line := fmt.Sprintf("ctr --namespace k8s.io run --rm %s manifest /herald manifest pod --image %s --interface eth0 --vip %s --controlplane --services --arp --leaderElection%s > /root/herald.yaml",
		w.herald, w.herald, w.vip, more)
	if _, err := w.on(ctx, name, line); err != nil {
		return err
	}
	// The kubelet is to see all of it, or nothing.
	_, err := w.on(ctx, name, "mkdir -p /etc/kubernetes/manifests && cp /root/herald.yaml /etc/kubernetes/herald.yaml && mv /etc/kubernetes/herald.yaml "+manifestFile)
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
	if err := w.pod(ctx, first, more); err != nil {
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

func (w *walk) peers(names ...string) string {
	all := make([]string, 0, len(names))
	for _, name := range names {
		all = append(all, name+"="+w.node(name).String())
	}
	return " --raft-peers " + strings.Join(all, ",")
}

func (w *walk) firstPod(ctx context.Context) error {
	first := controlPlanes()[0]
	switch w.elector {
	case "raft":
		// One of one is a quorum. The others are named when they are there.
		return w.pod(ctx, first, " --elector raft"+w.peers(first))
	case "lease":
		// During init, admin.conf may not yet do anything.
		return w.pod(ctx, first, " --elector lease --k8sConfigPath /etc/kubernetes/super-admin.conf")
	}
	return w.pod(ctx, first, "")
}

func (w *walk) init(ctx context.Context) error {
	first := controlPlanes()[0]
	version, err := w.quietly(ctx, first, "cat /kind/version")
	if err != nil {
		return err
	}
	w.settings.Version, w.settings.Node = strings.TrimSpace(version), w.node(first).String()
	config, err := fill(initConfig, w.settings)
	if err != nil {
		return err
	}
	if err := w.write(ctx, first, "/root/kubeadm.yaml", config); err != nil {
		return err
	}
	out, err := w.on(ctx, first, "kubeadm init --config /root/kubeadm.yaml --upload-certs")
	if err != nil {
		return err
	}
	for pattern, into := range map[string]*string{
		`--token (\S+)`:                        &w.settings.Token,
		`--discovery-token-ca-cert-hash (\S+)`: &w.settings.Hash,
		`--certificate-key (\S+)`:              &w.settings.Key,
	} {
		match := regexp.MustCompile(pattern).FindStringSubmatch(out)
		if match == nil {
			return fmt.Errorf("kubeadm init prints no %s:\n%s", pattern, tail(out))
		}
		*into = match[1]
	}
	if err := w.kubeconfig(ctx); err != nil {
		return err
	}
	if w.elector == "lease" {
		return w.replace(ctx, " --elector lease") // without super-admin.conf
	}
	return nil
}

// kubeconfig gives the client the administrator's, which has the VIP in it.
func (w *walk) kubeconfig(ctx context.Context) error {
	config, err := w.quietly(ctx, controlPlanes()[0], "cat "+adminConfig)
	if err != nil {
		return err
	}
	if !strings.Contains(config, "https://"+w.settings.Endpoint) {
		return fmt.Errorf("%s is not for %s", adminConfig, w.settings.Endpoint)
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

func (w *walk) join(ctx context.Context, name string, controlPlane bool) error {
	s := w.settings
	s.Node, s.ControlPlane = w.node(name).String(), controlPlane
	config, err := fill(joinConfig, s)
	if err != nil {
		return err
	}
	if err := w.write(ctx, name, "/root/kubeadm.yaml", config); err != nil {
		return err
	}
	_, err = w.on(ctx, name, "kubeadm join --config /root/kubeadm.yaml")
	return err
}

func (w *walk) controlPlanes(ctx context.Context) error {
	more := map[string]string{"raft": " --elector raft --raft-join" + w.peers(controlPlanes()...), "lease": " --elector lease"}[w.elector]
	for _, name := range controlPlanes()[1:] {
		// Before it joins: a node whose API server is not ready takes no VIP.
		if err := w.pod(ctx, name, more); err != nil {
			return err
		}
		if err := w.join(ctx, name, true); err != nil {
			return err
		}
	}
	if w.elector == "raft" { // now that a quorum of three is there
		return w.replace(ctx, " --elector raft"+w.peers(controlPlanes()...))
	}
	return nil
}

func (w *walk) worker(ctx context.Context) error {
	return w.join(ctx, nodes()[len(nodes())-1], false)
}

func (w *walk) look(ctx context.Context) error {
	if _, err := w.on(ctx, client, "kubectl wait node --all --for condition=Ready --timeout 3m"); err != nil {
		return err
	}
	out, err := w.shows(ctx, "kubectl get node -o wide")
	if err != nil {
		return err
	}
	if got := strings.Count(out, " Ready "); got != len(nodes()) {
		return fmt.Errorf("%d of %d nodes are ready", got, len(nodes()))
	}
	if _, err := w.on(ctx, client, "kubectl -n kube-system wait pod --selector app.kubernetes.io/name=herald --for condition=Ready --timeout 2m"); err != nil {
		return err
	}
	out, err = w.shows(ctx, "kubectl -n kube-system get pod --selector app.kubernetes.io/name=herald -o wide")
	if err != nil {
		return err
	}
	if got := strings.Count(out, "Running"); got != len(controlPlanes()) {
		return fmt.Errorf("%d of Herald's Pods run", got)
	}
	_, err = w.holder(ctx)
	return err
}

// holder returns the one node that has the VIP.
func (w *walk) holder(ctx context.Context) (string, error) {
	var holders []string
	for _, name := range controlPlanes() {
		out, err := w.quietly(ctx, name, "ip -brief address show dev eth0")
		if err != nil {
			continue // it is dead
		}
		if strings.Contains(out, w.vip.String()+"/") {
			holders = append(holders, name)
		}
	}
	if len(holders) != 1 {
		return "", fmt.Errorf("%s is on %v", w.vip, holders)
	}
	fmt.Fprintf(w.out, "   %s is on %s\n", w.vip, holders[0])
	return holders[0], nil
}

// service asks CoreDNS, which is there, if it is ready, by an address of Herald's.
func (w *walk) service(ctx context.Context) error {
	pool := fmt.Sprintf("%s-%s", w.address(poolFirst), w.address(poolLast))
	for _, line := range []string{
		"kubectl -n kube-system rollout status deployment coredns --timeout 3m",
		"kubectl -n kube-system create configmap herald --from-literal range-global=" + pool,
		"kubectl -n kube-system expose deployment coredns --name web --type LoadBalancer --port 80 --target-port 8181",
		"kubectl -n kube-system wait service web --for jsonpath='{.status.loadBalancer.ingress[0].ip}' --timeout 1m",
		"kubectl -n kube-system get service web",
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
