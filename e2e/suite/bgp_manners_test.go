package suite

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/heraldlb/herald/e2e/suite/router"
	"github.com/heraldlb/herald/e2e/suite/scene"
)

var _ = Describe("A router with bad manners", Label(onLab), func() {
	DescribeTable("is named, and disturbs nobody",
		func(ctx SpecContext, manner, met string) {
			s := stage.New(ctx)
			frr := stage.FRR(ctx, scene.Peering{Local: frrAS, Remote: nodesAS, Family: 4})
			speaker := stage.Speaker(ctx, speakerAS, manner)
			agents := agentsOf(ctx)
			s.Routed(ctx, bgp(peers(toFRR(ctx), peer(manner, speaker.Address, speakerAS, scene.SpeakerPort, "holdTime: 3s"))))
			s.Expose(ctx, "web")
			address := host(s.Address(ctx, "web"))
			Eventually(stage.NextHops).WithContext(ctx).WithArguments(address).Should(Equal(stage.Nodes))
			Eventually(speaker.Met).WithContext(ctx).Should(ContainElement(met))
			for _, node := range stage.Nodes {
				Eventually(stage.NodeEvents).WithContext(ctx).WithArguments(node, "BGPSessionDown").Should(
					MatchRegexp("session with %s .* (does not come up|is down): .+", manner))
			}
			if met != "said all" { // what flaps may be up
				sick(ctx, manner)
			}
			Expect(stage.NextHops(ctx, address)).To(Equal(stage.Nodes))
			established(ctx, frr.Sessions, 1, stage.Nodes...)
			Expect(agentsOf(ctx)).To(Equal(agents), "the agents are those that were")
		},
		// What Herald says to that, is by RFC 4271 section 6.
		Entry("that speaks something else", "garbage", "notified 1/1"),
		Entry("that refuses", "refuse", "said all"),
		Entry("of another AS", "wrong-as", "notified 2/2"),
		Entry("without the marker", "marker", "notified 1/1"),
		Entry("with messages that are too short", "short", "notified 1/2"),
		Entry("with messages that are too long", "huge", "notified 1/2"),
		Entry("with messages of no type", "type", "notified 1/3"),
		Entry("with an UPDATE that ends too soon, and that nobody reads", "update", "notified 4/0"),
		Entry("that flaps", "flap", "said all"),
	)

	It("may not be there at all", func(ctx SpecContext) {
		s := stage.New(ctx)
		frr := stage.FRR(ctx, scene.Peering{Local: frrAS, Remote: nodesAS, Family: 4})
		s.Routed(ctx, bgp(peers(toFRR(ctx), peer("absent", stage.RouterAddress(ctx, 4), speakerAS, scene.SpeakerPort))))
		for _, node := range stage.Nodes {
			Eventually(stage.NodeEvents).WithContext(ctx).WithArguments(node, "BGPSessionDown").Should(MatchRegexp("session with absent .* refused"))
		}
		sick(ctx, "absent")
		established(ctx, frr.Sessions, 1, stage.Nodes...)
	})

	It("is ExaBGP with malformed attributes", func(ctx SpecContext) {
		s := stage.New(ctx)
		frr := stage.FRR(ctx, scene.Peering{Local: frrAS, Remote: nodesAS, Family: 4})
		exabgp, at := stage.ExaBGP(ctx, scene.Peering{Local: exabgpAS, Remote: nodesAS, Family: 4},
			"route 10.99.0.1/32 next-hop self;",
			"route 10.99.0.2/32 next-hop self attribute [ 0x01 0x40 0x0909 ];",       // ORIGIN of two bytes
			"route 10.99.0.3/32 next-hop self attribute [ 0x02 0x40 0x02ff0001 ];",   // an AS path that goes on after its end
			"route 10.99.0.4/32 next-hop self attribute [ 0x08 0xc0 0x0102030405 ];", // a community of five bytes
			"route 10.99.0.5/32 next-hop self attribute [ 0x04 0x80 0x0001 ];",       // MED of two bytes
			"route 10.99.0.6/32 next-hop self attribute [ 0x2a 0x40 0x00 ];",         // well-known, and nobody knows it
			"route 2001:db8::1/128 next-hop self;",
		)
		agents := agentsOf(ctx)
		s.Routed(ctx, bgp(peers(toFRR(ctx), peer("exabgp", at, exabgpAS, scene.ExaBGPPort))))
		s.Expose(ctx, "web")
		address := host(s.Address(ctx, "web"))
		Eventually(stage.NextHops).WithContext(ctx).WithArguments(address).Should(Equal(stage.Nodes))
		for _, node := range stage.Nodes {
			Expect(exabgp.Connected(ctx, stage.HostAddress(ctx, node, 4))).To(Succeed())
			Expect(stage.AgentMetric(ctx, node, "herald_bgp_session_up", map[string]string{"peer": "exabgp"})).To(BeEquivalentTo(1))
			Expect(stage.AgentMetric(ctx, node, "herald_bgp_session_flaps_total", map[string]string{"peer": "exabgp"})).To(BeZero())
		}
		established(ctx, frr.Sessions, 1, stage.Nodes...)
		Expect(agentsOf(ctx)).To(Equal(agents), "the agents are those that were")
		Expect(frr.Sessions(ctx)).To(HaveEach(HaveField("State", router.Established)))
	})
})

// sick waits until herald status says why there is no session with a peer.
func sick(ctx SpecContext, peer string) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		status, err := stage.Status(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		for _, node := range status.Nodes {
			g.Expect(node.BGP).NotTo(BeNil(), node.Name)
			g.Expect(node.BGP.Sessions).To(ContainElement(And(
				HaveField("Peer", peer), HaveField("State", Not(Equal(router.Established))), HaveField("Reason", Not(BeEmpty())))))
		}
	}).WithContext(ctx).Should(Succeed())
}
