package lab

import (
	"context"
	"fmt"
	"strings"
	"syscall"
)

// LinkDown sets the host's link to the segment down on the host's side: the
// host loses the link's routes and IPv6 addresses, and the switch the carrier.
func (h Host) LinkDown(ctx context.Context) error {
	_, err := h.Run(ctx, "ip", "link", "set", "eth0", "down")
	return err
}

// LinkUp sets the link up again, and configures it as at the start.
func (h Host) LinkUp(ctx context.Context) error {
	return h.cluster.client.Reconnect(ctx, h.Name)
}

// PortDown sets the host's port on the switch down: the host loses the carrier
// and keeps what it has configured.
func (h Host) PortDown(ctx context.Context) error { return h.setPort(ctx, "down") }

// PortUp sets the host's port on the switch up.
func (h Host) PortUp(ctx context.Context) error { return h.setPort(ctx, "up") }

func (h Host) setPort(ctx context.Context, state string) error {
	_, err := h.cluster.Host("switch").Run(ctx, "ip", "link", "set", h.Name, state)
	return err
}

// Signal sends a signal to a component of the cluster, which nobody starts
// again: etcd, kube-apiserver, kube-controller-manager or kube-scheduler on
// cp1, kube-proxy or kubelet on a node. The Pods of a kubelet end with it.
func (h Host) Signal(ctx context.Context, component string, signal syscall.Signal) error {
	status, err := h.cluster.Status(ctx)
	if err != nil {
		return err
	}
	for _, process := range status.Processes {
		if process.Host != h.Name || process.Component != component {
			continue
		}
		if process.Exit != "" {
			return fmt.Errorf("lab: %s", process.Exit)
		}
		_, err := h.Run(ctx, "sh", "-c", fmt.Sprintf("kill -%d %d", signal, process.PID))
		return err
	}
	return fmt.Errorf("lab: no process %s on host %s", component, h.Name)
}

// Start starts a component that has ended.
func (h Host) Start(ctx context.Context, component string) error {
	return h.cluster.client.Start(ctx, h.Name, component)
}

// Drop makes the switch drop what nftables rules of the bridge family, hook
// forward, say: `iifname "node1" oifname "node2" drop` is half a partition of
// the two. It takes the place of what was dropped before; nothing is with no
// rules.
func (c *Cluster) Drop(ctx context.Context, rules ...string) error {
	cmd := c.Host("switch").Command(ctx, "nft", "-f", "-")
	cmd.Stdin = strings.NewReader(DropScript(rules...))
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("lab: drop on the switch: %w: %s", err, output)
	}
	return nil
}

// DropScript is what nft is told for Drop, here or on another bridge.
func DropScript(rules ...string) string {
	script := "table bridge faults\ndelete table bridge faults\n"
	if len(rules) > 0 {
		script += "table bridge faults {\n chain forward {\n  type filter hook forward priority 0\n  " +
			strings.Join(rules, "\n  ") + "\n }\n}\n"
	}
	return script
}

// Partition keeps a host from those named, both ways, until Drop.
func (c *Cluster) Partition(ctx context.Context, host string, from ...string) error {
	others := `{ "` + strings.Join(from, `", "`) + `" }`
	return c.Drop(ctx,
		fmt.Sprintf("iifname %q oifname %s drop", host, others),
		fmt.Sprintf("iifname %s oifname %q drop", others, host))
}
