package lab

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"go4.org/netipx"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/heraldlb/herald/e2e/lab/internal/control"
)

// Cluster is a lab that is up.
type Cluster struct {
	root   string
	client *control.Client
	status Status
}

func newCluster(root string, client *control.Client, status Status) *Cluster {
	return &Cluster{root: root, client: client, status: status}
}

// Parameters returns what the lab is made of.
func (c *Cluster) Parameters() Parameters { return c.status.Parameters }

// Status asks the lab for its present status.
func (c *Cluster) Status(ctx context.Context) (Status, error) { return c.client.Status(ctx) }

// Kubeconfig returns an administrator's kubeconfig for use on this machine.
func (c *Cluster) Kubeconfig(ctx context.Context) ([]byte, error) { return c.client.Kubeconfig(ctx) }

// RESTConfig returns an administrator's client configuration, without a limit
// on the rate of requests.
func (c *Cluster) RESTConfig(ctx context.Context) (*rest.Config, error) {
	kubeconfig, err := c.Kubeconfig(ctx)
	if err != nil {
		return nil, err
	}
	config, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS = -1
	return config, nil
}

// Logs returns the names of the logs: HOST/COMPONENT.log, and
// NODE/POD_CONTAINER.log for Herald's containers.
func (c *Cluster) Logs(ctx context.Context) ([]string, error) { return c.client.Logs(ctx) }

// Log returns a whole log by its name.
func (c *Cluster) Log(ctx context.Context, name string) ([]byte, error) {
	return c.client.Log(ctx, name)
}

// Host returns the host of that name: node1 to nodeN, cp1, client, router,
// remote, or switch. Commands of an unknown host fail, and name it.
func (c *Cluster) Host(name string) Host {
	host := Host{Name: name, cluster: c}
	for _, known := range c.status.Hosts {
		if known.Name == name {
			host.Addresses, host.MAC = known.Addresses, known.MAC
			return host
		}
	}
	if name != "switch" {
		host.err = fmt.Errorf("lab: no host %q", name)
	}
	return host
}

// Nodes returns the Kubernetes nodes.
func (c *Cluster) Nodes() []Host {
	var nodes []Host
	for _, host := range c.status.Hosts {
		if host.Node {
			nodes = append(nodes, c.Host(host.Name))
		}
	}
	return nodes
}

// Owner returns the host with that link-layer address, as a neighbour table
// shows it; false if it is nobody's.
func (c *Cluster) Owner(mac string) (Host, bool) {
	for _, host := range c.status.Hosts {
		if host.MAC == mac {
			return c.Host(host.Name), true
		}
	}
	return Host{}, false
}

// Pools returns the ranges that Herald may hand out, one per family, IPv4
// first.
func (c *Cluster) Pools() []netipx.IPRange { return c.status.Pools }

// Down ends the lab at once, and returns when no process of it is left.
func (c *Cluster) Down(ctx context.Context) error { return kill(ctx, c.status.PID) }

// VIPs returns the control plane's addresses that Herald holds.
func (c *Cluster) VIPs() []netip.Addr { return c.status.VIPs }

// ControlPlanes returns the hosts that have an API server.
func (c *Cluster) ControlPlanes() []Host {
	var all []Host
	for _, host := range c.status.Hosts {
		if strings.HasPrefix(host.Name, "cp") {
			all = append(all, c.Host(host.Name))
		}
	}
	return all
}
