package supervisor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os/exec"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"

	"github.com/heraldlb/herald/e2e/lab/internal/topology"
)

// proxyHealthPort is kube-proxy's default.
const proxyHealthPort = 10256

// awaitNodes waits until every node is ready and has its Pod ranges, which it
// then routes between the nodes: the work of a CNI plugin.
func (s *Supervisor) awaitNodes(ctx context.Context, detail func(string)) error {
	ready := map[string][]string{}
	nodes := cache.NewListWatchFromClient(s.client.CoreV1().RESTClient(), "nodes", metav1.NamespaceAll, fields.Everything())
	_, err := watchtools.UntilWithSync(ctx, nodes, &corev1.Node{}, nil, func(event watch.Event) (bool, error) {
		node, ok := event.Object.(*corev1.Node)
		if ok && isReady(node) && len(node.Spec.PodCIDRs) > 0 {
			ready[node.Name] = node.Spec.PodCIDRs
		}
		detail(fmt.Sprintf("%d of %d ready", len(ready), len(s.plan.Nodes)))
		return len(ready) == len(s.plan.Nodes), nil
	})
	if err != nil {
		return err
	}
	s.podCIDRs = ready
	for _, node := range s.plan.Nodes {
		if err := s.routePods(node); err != nil {
			return err
		}
	}
	return s.awaitProxies(ctx, detail)
}

// awaitProxies waits until every kube-proxy has written its first rules.
func (s *Supervisor) awaitProxies(ctx context.Context, detail func(string)) error {
	for _, node := range s.plan.Nodes {
		host, _ := s.plan.Host(node)
		url := fmt.Sprintf("http://%s/healthz", netip.AddrPortFrom(host.Addresses()[0], proxyHealthPort))
		err := poll(ctx, func(ctx context.Context) bool {
			err := get(ctx, url)
			if err != nil {
				detail(fmt.Sprintf("kube-proxy of %s: %v", node, err))
			}
			return err == nil
		})
		if err != nil {
			return fmt.Errorf("kube-proxy of %s: %w", node, err)
		}
	}
	return nil
}

func get(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", url, response.Status)
	}
	return errors.Join(err, response.Body.Close())
}

func isReady(node *corev1.Node) bool {
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

// routePods routes the other nodes' Pod ranges on a node.
func (s *Supervisor) routePods(from string) error {
	for to, cidrs := range s.podCIDRs {
		if to == from {
			continue
		}
		host, _ := s.plan.Host(to)
		err := s.namespaces[from].Do(func() error { return routeBy(host.Addresses(), cidrs) })
		if err != nil {
			return fmt.Errorf("node %s: %w", from, err)
		}
	}
	return nil
}

// routeBy routes each prefix by the gateway of its family.
func routeBy(gateways []netip.Addr, cidrs []string) error {
	for _, text := range cidrs {
		cidr, err := netip.ParsePrefix(text)
		if err != nil {
			return err
		}
		for _, gateway := range gateways {
			if gateway.Is4() != cidr.Addr().Is4() {
				continue
			}
			if err := topology.AddRoute(cidr, gateway, ""); err != nil {
				return err
			}
		}
	}
	return nil
}

// reconnect does for a host what its network configuration would do after its
// link came up: addresses and routes return.
func (s *Supervisor) reconnect(name string) error {
	host, ok := s.plan.Host(name)
	if !ok {
		return fmt.Errorf("no host %q", name)
	}
	if err := s.namespaces[name].Do(host.Configure); err != nil {
		return fmt.Errorf("host %s: %w", name, err)
	}
	if !s.plan.IsNode(name) {
		return nil
	}
	return s.routePods(name)
}

// masquerade hides Pods that speak to hosts outside the cluster behind their
// node, for no such host has a route to a Pod.
func (s *Supervisor) masquerade() error {
	var rules strings.Builder
	rules.WriteString("table inet lab {\n chain postrouting {\n  type nat hook postrouting priority srcnat;\n")
	for _, cidr := range s.plan.PodCIDRs {
		family := "ip6"
		if cidr.Addr().Is4() {
			family = "ip"
		}
		fmt.Fprintf(&rules, "  %s saddr %s %s daddr != %s masquerade\n", family, cidr, family, cidr)
	}
	rules.WriteString(" }\n}\n")
	for _, node := range s.plan.Nodes {
		cmd := exec.Command("nft", "-f", "-")
		cmd.Stdin = strings.NewReader(rules.String())
		var output []byte
		err := s.namespaces[node].Do(func() (err error) {
			output, err = cmd.CombinedOutput()
			return err
		})
		if err != nil {
			return fmt.Errorf("node %s: nft: %w: %s", node, err, output)
		}
	}
	return nil
}
