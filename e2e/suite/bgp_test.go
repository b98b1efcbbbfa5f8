package suite

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/heraldlb/herald/e2e/suite/router"
	"github.com/heraldlb/herald/e2e/suite/scene"
)

// The autonomous systems of the nodes and of the routers.
const (
	nodesAS = 64513 + iota
	frrAS
	birdAS
	exabgpAS
	speakerAS
)

var _ = Describe("BGP sessions", func() {
	It("carry both families over either, to FRR and to BIRD, and are told of", func(ctx SpecContext) {
		s := stage.New(ctx)
		frr := stage.FRR(ctx, scene.Peering{Local: frrAS, Remote: nodesAS, Family: 4})
		bird, at := stage.BIRD(ctx, scene.Peering{Local: birdAS, Remote: nodesAS, Family: 6})
		s.Routed(ctx, bgp(peers(toFRR(ctx), toBIRD("bird", at))))
		s.Deploy(ctx, "web", 2)
		s.Expose(ctx, "web", scene.Dual)
		addresses := s.Addresses(ctx, "web", 2)

		for name, side := range map[string]readable{"FRR": frr, "BIRD": bird} {
			By("asking " + name)
			for _, node := range stage.Nodes {
				Eventually(side.Sessions).WithContext(ctx).Should(HaveKeyWithValue(node, And(
					HaveField("State", router.Established), HaveField("Routes", map[int]int{4: 1, 6: 1}))))
				for _, address := range addresses {
					Expect(side.Routes(ctx, host(address))).To(HaveKeyWithValue(node, And(
						HaveField("Path", []uint32{nodesAS}), HaveField("NextHops", ConsistOf(hop(ctx, node, address))))))
				}
			}
		}
		for _, address := range addresses {
			Eventually(stage.NextHops).WithContext(ctx).WithArguments(host(address)).Should(Equal(stage.Nodes))
			s.Reach(ctx, stage.Remote, address, scene.HTTP)
			Expect(stage.Responders(ctx, address)).To(BeEmpty(), "who answers for %s on the segment", address)
		}

		By("asking Herald")
		for _, node := range stage.Nodes {
			for _, name := range []string{"frr", "bird"} {
				labels := map[string]string{"peer": name}
				Eventually(stage.AgentMetric).WithContext(ctx).WithArguments(node, "herald_bgp_session_up", labels).Should(BeEquivalentTo(1))
				Expect(stage.AgentMetric(ctx, node, "herald_bgp_prefixes_advertised", labels)).To(BeEquivalentTo(2))
				Expect(stage.AgentMetric(ctx, node, "herald_bgp_updates_sent_total", labels)).To(BeNumerically(">=", 2))
				Eventually(stage.NodeEvents).WithContext(ctx).WithArguments(node, "BGPSessionUp").Should(ContainSubstring(name))
			}
		}
		status, err := stage.Status(ctx)
		Expect(err).NotTo(HaveOccurred())
		told := And(HaveField("State", router.Established), HaveField("Advertised", 2))
		for _, node := range status.Nodes {
			Expect(node.BGP).NotTo(BeNil(), node.Name)
			Expect(node.BGP.Sessions).To(ConsistOf(
				And(told, HaveField("Peer", "frr"), HaveField("ASN", BeEquivalentTo(frrAS))),
				And(told, HaveField("Peer", "bird"), HaveField("Address", at))))
		}
	})
})

// readable is what is read of every router.
type readable interface {
	Sessions(ctx context.Context) (map[string]router.Session, error)
	Routes(ctx context.Context, prefix netip.Prefix) (map[string]router.Route, error)
}

// bgp returns a bgp.yaml with peers, each on a line, and advertisements.
func bgp(peers []string, advertisements ...string) string {
	text := fmt.Sprintf("localASN: %d\npeers:\n%s", nodesAS, strings.Join(peers, ""))
	if len(advertisements) > 0 {
		text += "advertisements:\n" + strings.Join(advertisements, "")
	}
	return text
}

// peers are lines of bgp.yaml.
func peers(lines ...string) []string { return lines }

// peer returns a peer of bgp.yaml, with more about it.
func peer(name string, address netip.Addr, as, port int, more ...string) string {
	about := append([]string{
		"name: " + name, fmt.Sprintf("address: %q", address), fmt.Sprint("asn: ", as), fmt.Sprint("port: ", port), "connectTime: 1s",
	}, more...)
	return "- {" + strings.Join(about, ", ") + "}\n"
}

// toFRR returns the peer for FRR over IPv4.
func toFRR(ctx SpecContext, more ...string) string {
	GinkgoHelper()
	return peer("frr", stage.HostAddress(ctx, stage.Router, 4), frrAS, 179, more...)
}

// toBIRD returns the peer for BIRD.
func toBIRD(name string, address netip.Addr, more ...string) string {
	return peer(name, address, birdAS, scene.BIRDPort, more...)
}

// host returns the prefix of an address alone.
func host(address netip.Addr) netip.Prefix { return netip.PrefixFrom(address, address.BitLen()) }

// hop returns a node's own address of the family of another.
func hop(ctx SpecContext, node string, to netip.Addr) netip.Addr {
	GinkgoHelper()
	family := 4
	if to.Is6() {
		family = 6
	}
	return stage.HostAddress(ctx, node, family)
}

// established says that a router has sessions with nodes, each begun so many times.
func established(ctx SpecContext, of func(context.Context) (map[string]router.Session, error), times int, nodes ...string) {
	GinkgoHelper()
	for _, node := range nodes {
		Eventually(of).WithContext(ctx).Should(HaveKeyWithValue(node, And(
			HaveField("State", router.Established), HaveField("Times", times))))
	}
}
