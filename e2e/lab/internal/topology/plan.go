// Package topology lays out the lab's network and builds it from kernel
// network namespaces: a switch, the hosts plugged into it, and a router with
// one more host behind it.
//
//	node1 … nodeN  cp1 …  client  router ── remote
//	  │             │     │      │   (eth1, bridge "br-remote")
//	──┴─────────────┴─────┴──────┴── bridge "br-segment" in namespace "switch"
package topology

import (
	"fmt"
	"net"
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

// MaxNodes is how many nodes have room below the pools, MaxControlPlanes how many
// control planes have below the nodes.
const (
	MaxNodes         = 79
	MaxControlPlanes = 9
)

// Plan is the whole network on paper.
type Plan struct {
	Family Family
	Hosts  []Host
	// Nodes are the names of the hosts that are Kubernetes nodes.
	Nodes []string
	// ControlPlanes are the names of the hosts that have an API server.
	ControlPlanes []string
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
	MAC       net.HardwareAddr
	Addresses []netip.Prefix
}

// Addresses returns the host's addresses on its first link.
func (h Host) Addresses() []netip.Addr { return h.Links[0].addresses() }

func (l Link) addresses() []netip.Addr {
	var addresses []netip.Addr
	for _, prefix := range l.Addresses {
		addresses = append(addresses, prefix.Addr())
	}
	return addresses
}

// network is a subnet by the formats of its hosts' addresses. The same digits
// name a host everywhere: node1 is 192.168.100.21, fd00:100::21 and
// 02:00:00:00:01:21.
type network struct{ bridge, v4, v6, mac string }

func segment() network {
	return network{"br-segment", "192.168.100.%d/24", "fd00:100::%d/64", "02:00:00:00:01:%02d"}
}

func beyond() network {
	return network{"br-remote", "192.168.200.%d/24", "fd00:200::%d/64", "02:00:00:00:02:%02d"}
}

const (
	poolV4 = "192.168.100.200-192.168.100.239"
	poolV6 = "fd00:100::1:0-fd00:100::1:ffff"

	routerNumber  = 1
	clientNumber  = 5
	controlNumber = 10
	nodeNumber    = 20
	vipNumber     = 100
)

// NewPlan returns the network of a lab with that many nodes and control planes.
func NewPlan(nodes, controlPlanes int, family Family) (*Plan, error) {
	if controlPlanes < 1 || controlPlanes > MaxControlPlanes {
		return nil, fmt.Errorf("%d control planes: the lab takes 1 to %d", controlPlanes, MaxControlPlanes)
	}
	if nodes < 1 || nodes > MaxNodes {
		return nil, fmt.Errorf("%d nodes: the lab takes 1 to %d", nodes, MaxNodes)
	}
	if family != V4 && family != V6 && family != Dual {
		return nil, fmt.Errorf("family %q: want v4, v6 or dual", family)
	}
	p := &Plan{Family: family}
	router := p.host(Router, segment(), routerNumber)
	router.Gateways, router.Forward = nil, true
	router.Links = append(router.Links, p.link("eth1", "router-remote", beyond(), routerNumber))
	for i := range controlPlanes {
		host := p.host(fmt.Sprintf("cp%d", i+1), segment(), controlNumber+i)
		host.Forward = controlPlanes > 1 // a VIP's holder passes connections on
		p.Hosts = append(p.Hosts, host)
		p.ControlPlanes = append(p.ControlPlanes, host.Name)
	}
	p.Hosts = append(p.Hosts,
		p.host(Client, segment(), clientNumber),
		router,
		p.host(Remote, beyond(), clientNumber),
	)
	for i := 1; i <= nodes; i++ {
		node := p.host(fmt.Sprintf("node%d", i), segment(), nodeNumber+i)
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

// host plans a host with one link and the router as its gateway.
func (p *Plan) host(name string, on network, number int) Host {
	return Host{
		Name:     name,
		Links:    []Link{p.link("eth0", name, on, number)},
		Gateways: p.link("", "", on, routerNumber).addresses(),
	}
}

func (p *Plan) link(name, port string, on network, number int) Link {
	mac, _ := net.ParseMAC(fmt.Sprintf(on.mac, number)) // the formats are above
	return Link{Name: name, Bridge: on.bridge, Port: port, MAC: mac, Addresses: p.prefixes(number, on.v4, on.v6)}
}

// VIPs returns an address of each family that no host has, for the control plane.
func (p *Plan) VIPs() []netip.Addr {
	return p.link("", "", segment(), vipNumber).addresses()
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
