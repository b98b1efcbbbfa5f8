// Package topology lays out the lab's network and builds it from kernel
// network namespaces: a switch, the hosts plugged into it, and a router with
// one more host behind it.
//
//	node1 … nodeN  cp1  client  router ── remote
//	  │             │     │      │   (eth1, bridge "br-remote")
//	──┴─────────────┴─────┴──────┴── bridge "br-segment" in namespace "switch"
package topology

import (
	"fmt"
	"net/netip"
	"slices"

	"go4.org/netipx"
)

// Family says which IP families the lab speaks.
type Family string

// The families of a lab.
const (
	V4   Family = "v4"
	V6   Family = "v6"
	Dual Family = "dual"
)

// Names of the hosts that every lab has, and of the switch's namespace.
const (
	Switch       = "switch"
	ControlPlane = "cp1"
	Client       = "client"
	Router       = "router"
	Remote       = "remote"
)

// MaxNodes is how many nodes have room below the pools.
const MaxNodes = 79

// Plan is the whole network on paper.
type Plan struct {
	Family Family
	Hosts  []Host
	// Nodes are the names of the hosts that are Kubernetes nodes.
	Nodes []string
	// Pools are ranges of the segment's addresses that no host uses, one per
	// family.
	Pools []netipx.IPRange
	// PodCIDRs and ServiceCIDRs are the cluster's, one per family.
	PodCIDRs, ServiceCIDRs []netip.Prefix
}

// Host is one network namespace with a link to the segment.
type Host struct {
	Name     string
	Links    []Link
	Gateways []netip.Addr
	Forward  bool
}

// Link is one interface of a host and the bridge that it is plugged into.
type Link struct {
	Name      string
	Bridge    string
	Port      string // the interface's name on the switch
	Addresses []netip.Prefix
}

// Addresses returns the host's addresses on its first link.
func (h Host) Addresses() []netip.Addr {
	var addresses []netip.Addr
	for _, prefix := range h.Links[0].Addresses {
		addresses = append(addresses, prefix.Addr())
	}
	return addresses
}

// The subnets; the same digits name a host in both families: node1 is
// 192.168.100.21 and fd00:100::21.
const (
	segmentV4 = "192.168.100.%d/24"
	segmentV6 = "fd00:100::%d/64"
	remoteV4  = "192.168.200.%d/24"
	remoteV6  = "fd00:200::%d/64"

	poolV4 = "192.168.100.200-192.168.100.239"
	poolV6 = "fd00:100::1:0-fd00:100::1:ffff"

	routerNumber  = 1
	clientNumber  = 5
	controlNumber = 10
	nodeNumber    = 20
)

// NewPlan returns the network of a lab with that many nodes.
func NewPlan(nodes int, family Family) (*Plan, error) {
	if nodes < 1 || nodes > MaxNodes {
		return nil, fmt.Errorf("%d nodes: the lab takes 1 to %d", nodes, MaxNodes)
	}
	if family != V4 && family != V6 && family != Dual {
		return nil, fmt.Errorf("family %q: want v4, v6 or dual", family)
	}
	p := &Plan{Family: family}
	segment := func(number int) []netip.Prefix { return p.prefixes(number, segmentV4, segmentV6) }
	beyond := func(number int) []netip.Prefix { return p.prefixes(number, remoteV4, remoteV6) }
	gateways := func(of []netip.Prefix) []netip.Addr { return Host{Links: []Link{{Addresses: of}}}.Addresses() }

	onSegment := func(name string, number int) Host {
		return Host{
			Name:     name,
			Links:    []Link{{Name: "eth0", Bridge: "br-segment", Port: name, Addresses: segment(number)}},
			Gateways: gateways(segment(routerNumber)),
		}
	}
	router := onSegment(Router, routerNumber)
	router.Gateways, router.Forward = nil, true
	router.Links = append(router.Links, Link{Name: "eth1", Bridge: "br-remote", Port: "router-remote", Addresses: beyond(routerNumber)})
	remote := Host{
		Name:     Remote,
		Links:    []Link{{Name: "eth0", Bridge: "br-remote", Port: Remote, Addresses: beyond(clientNumber)}},
		Gateways: gateways(beyond(routerNumber)),
	}
	p.Hosts = []Host{onSegment(ControlPlane, controlNumber), onSegment(Client, clientNumber), router, remote}
	for i := 1; i <= nodes; i++ {
		node := onSegment(fmt.Sprintf("node%d", i), nodeNumber+i)
		node.Forward = true
		p.Hosts = append(p.Hosts, node)
		p.Nodes = append(p.Nodes, node.Name)
	}
	p.PodCIDRs = p.prefixes(0, "10.244.0.%d/16", "fd00:10:244::%d/56")
	p.ServiceCIDRs = p.prefixes(0, "10.96.0.%d/16", "fd00:10:96::%d/112")
	for _, pool := range pick(family, poolV4, poolV6) {
		p.Pools = append(p.Pools, netipx.MustParseIPRange(pool))
	}
	return p, nil
}

// Host returns the planned host of that name.
func (p *Plan) Host(name string) (Host, bool) {
	for _, host := range p.Hosts {
		if host.Name == name {
			return host, true
		}
	}
	return Host{}, false
}

// IsNode tells whether the host of that name is a Kubernetes node.
func (p *Plan) IsNode(name string) bool { return slices.Contains(p.Nodes, name) }

func (p *Plan) prefixes(number int, v4, v6 string) []netip.Prefix {
	var prefixes []netip.Prefix
	for _, format := range pick(p.Family, v4, v6) {
		prefixes = append(prefixes, netip.MustParsePrefix(fmt.Sprintf(format, number)))
	}
	return prefixes
}

// pick returns what belongs to the family, IPv4 first.
func pick(family Family, v4, v6 string) []string {
	switch family {
	case V4:
		return []string{v4}
	case V6:
		return []string{v6}
	default:
		return []string{v4, v6}
	}
}
