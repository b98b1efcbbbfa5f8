package kubelet

import (
	"errors"
	"fmt"
	"hash/fnv"
	"net/netip"

	corev1 "k8s.io/api/core/v1"

	"github.com/heraldlb/herald/e2e/lab/internal/topology"
)

// linkLocalGateway is the IPv6 gateway on the node's end of each Pod's veth.
func linkLocalGateway() netip.Addr { return netip.MustParseAddr("fe80::1") }

// sandbox is a Pod's network namespace, or the node's with hostNetwork.
type sandbox struct {
	topology.Namespace
	addresses []netip.Addr
	close     func() error
}

func (k *Kubelet) newSandbox(pod *corev1.Pod) (*sandbox, error) {
	if pod.Spec.HostNetwork {
		return &sandbox{Namespace: k.node, addresses: k.config.Addresses, close: func() error { return nil }}, nil
	}
	addresses, err := k.addresses.take()
	if err != nil {
		return nil, err
	}
	namespace, err := topology.NewNamespace("")
	if err != nil {
		k.addresses.give(addresses)
		return nil, err
	}
	link := linkName(pod)
	box := &sandbox{Namespace: namespace, addresses: addresses, close: func() error {
		err := k.node.Do(func() error { return topology.DeleteLink(link) })
		k.addresses.give(addresses)
		return errors.Join(err, namespace.Close())
	}}
	if err := k.connect(box, link); err != nil {
		return nil, errors.Join(fmt.Errorf("network of the Pod: %w", err), box.close())
	}
	return box, nil
}

// linkName is the name of the node's end of the Pod's veth.
func linkName(pod *corev1.Pod) string {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(pod.UID))
	return fmt.Sprintf("pod%08x", hash.Sum32())
}

// connect joins the Pod's namespace to the node's: a veth pair, routes to the
// Pod here, and a default route to the node there.
func (k *Kubelet) connect(box *sandbox, link string) error {
	gateways := make([]netip.Addr, len(box.addresses))
	for i, address := range box.addresses {
		gateways[i] = linkLocalGateway()
		if address.Is4() {
			gateways[i] = k.addresses.gateways[i]
		}
	}
	if err := box.Do(topology.PodDefaults); err != nil {
		return err
	}
	if err := k.node.Do(func() error { return connectNode(box, link, gateways) }); err != nil {
		return err
	}
	return box.Do(func() error { return connectPod(box, gateways) })
}

func connectNode(box *sandbox, link string, gateways []netip.Addr) error {
	if err := topology.AddVeth(link, "eth0", box.Namespace); err != nil {
		return err
	}
	for i, address := range box.addresses {
		if err := topology.AddAddress(link, single(gateways[i])); err != nil {
			return err
		}
		if err := topology.AddRoute(single(address), netip.Addr{}, link); err != nil {
			return err
		}
	}
	return nil
}

func connectPod(box *sandbox, gateways []netip.Addr) error {
	if err := errors.Join(topology.SetUp("lo"), topology.SetUp("eth0")); err != nil {
		return err
	}
	for i, address := range box.addresses {
		if err := topology.AddAddress("eth0", single(address)); err != nil {
			return err
		}
		if err := topology.AddRoute(single(gateways[i]), netip.Addr{}, "eth0"); err != nil {
			return err
		}
		everywhere := netip.PrefixFrom(topology.Unspecified(address), 0)
		if err := topology.AddRoute(everywhere, gateways[i], "eth0"); err != nil {
			return err
		}
	}
	return nil
}

func single(address netip.Addr) netip.Prefix {
	return netip.PrefixFrom(address, address.BitLen())
}
