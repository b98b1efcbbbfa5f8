package scene

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/heraldlb/herald/e2e/suite/router"
)

// Where the routers beside FRR listen: one port takes one of them.
const (
	BIRDPort    = 1790
	ExaBGPPort  = 1791
	SpeakerPort = 1792
)

// Peering is how a router is to talk with all nodes.
type Peering struct {
	// Local is the router's AS, Remote that of the nodes.
	Local, Remote uint32
	// Family is that of the sessions: 4 or 6.
	Family int
	// Lines are more about the nodes as neighbors, in the router's own language: of FRR,
	// what follows "neighbor nodes"; of BIRD, what stands in the protocol.
	Lines []string
	// Global is more beside that.
	Global string
}

// FRR starts FRR on the router until the case ends.
func (st *Stage) FRR(ctx context.Context, peering Peering) *router.FRR {
	GinkgoHelper()
	neighbors := st.neighbors(ctx, peering.Family)
	frr, err := router.NewFRR(ctx, st.Hosts, st.Router, peering.frr(st.own(ctx, st.Router, 4).Addr(), neighbors), neighbors)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(frr.Stop)
	return frr
}

func (p Peering) frr(id netip.Addr, neighbors []router.Neighbor) string {
	var text strings.Builder
	fmt.Fprintf(&text, `%s
router bgp %d
 bgp router-id %s
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 bgp bestpath as-path multipath-relax
 neighbor nodes peer-group
 neighbor nodes remote-as %d
 neighbor nodes passive
`, p.Global, p.Local, id, p.Remote)
	for _, line := range p.Lines {
		fmt.Fprintf(&text, " neighbor nodes %s\n", line)
	}
	for _, neighbor := range neighbors {
		fmt.Fprintf(&text, " neighbor %s peer-group nodes\n", neighbor.Address)
	}
	for _, family := range []int{4, 6} {
		fmt.Fprintf(&text, ` address-family ipv%d unicast
  neighbor nodes activate
  maximum-paths 8
  maximum-paths ibgp 8
 exit-address-family
`, family)
	}
	return text.String()
}

// BIRD starts BIRD on the router until the case ends, beside FRR: with an address of its
// own, at BIRDPort.
func (st *Stage) BIRD(ctx context.Context, peering Peering) (*router.BIRD, netip.Addr) {
	GinkgoHelper()
	address := st.RouterAddress(ctx, peering.Family)
	configuration := peering.bird(address, st.own(ctx, st.Router, 4).Addr(), st.neighbors(ctx, peering.Family))
	bird, err := router.NewBIRD(ctx, st.Hosts, st.Router, configuration)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(bird.Stop)
	return bird, address
}

func (p Peering) bird(address, id netip.Addr, neighbors []router.Neighbor) string {
	var text strings.Builder
	fmt.Fprintf(&text, `log stderr all;
router id %s;
protocol device {}
%s
template bgp nodes {
  local %s port %d as %d;
  strict bind yes;
  passive yes;
  ipv4 { import all; export none; };
  ipv6 { import all; export none; };
`, id, p.Global, address, BIRDPort, p.Local)
	for _, line := range p.Lines {
		fmt.Fprintf(&text, "  %s;\n", line)
	}
	text.WriteString("}\n")
	for _, neighbor := range neighbors {
		// In quotes a name may have a hyphen.
		fmt.Fprintf(&text, "protocol bgp '%s' from nodes { neighbor %s as %d; }\n", neighbor.Name, neighbor.Address, p.Remote)
	}
	return text.String()
}

// ExaBGP starts ExaBGP on the router until the case ends, beside the others: with an address
// of its own, at ExaBGPPort. Routes are what it says, as its configuration has them.
func (st *Stage) ExaBGP(ctx context.Context, peering Peering, routes ...string) (*router.ExaBGP, netip.Addr) {
	GinkgoHelper()
	address := st.RouterAddress(ctx, peering.Family)
	var text strings.Builder
	for _, neighbor := range st.neighbors(ctx, peering.Family) {
		fmt.Fprintf(&text, `neighbor %s {
  router-id %s;
  local-address %s;
  local-as %d;
  peer-as %d;
  passive;
  family { ipv4 unicast; ipv6 unicast; }
  static {
    %s
  }
}
`, neighbor.Address, st.own(ctx, st.Router, 4).Addr(), address, peering.Local, peering.Remote, strings.Join(routes, "\n    "))
	}
	exabgp, err := router.NewExaBGP(ctx, st.Hosts, st.Router, netip.AddrPortFrom(address, ExaBGPPort), text.String())
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(exabgp.Stop)
	return exabgp, address
}

// NextHops returns the nodes that the router's kernel sends packets to a prefix to, in
// order.
func (st *Stage) NextHops(ctx context.Context, prefix netip.Prefix) ([]string, error) {
	hops, err := router.NextHops(ctx, st.Hosts, st.Router, prefix)
	if err != nil {
		return nil, err
	}
	nodes := []string{}
	for _, node := range st.Nodes {
		for _, hop := range hops {
			if st.hops[hop] == node { // which may be down, and not be asked
				nodes = append(nodes, node)
			}
		}
	}
	if len(nodes) != len(hops) {
		return nil, fmt.Errorf("next hops of %s: %s, of which nodes have %s", prefix, hops, nodes)
	}
	return nodes, nil
}
