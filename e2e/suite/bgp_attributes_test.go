package suite

import (
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/heraldlb/herald/e2e/suite/router"
	"github.com/heraldlb/herald/e2e/suite/scene"
)

var _ = Describe("What bgp.yaml says of a route", func() {
	It("is what the routers know: communities, MED, prepends, and the preference within the nodes' own AS", func(ctx SpecContext) {
		s := stage.New(ctx)
		frr := stage.FRR(ctx, scene.Peering{Local: frrAS, Remote: nodesAS, Family: 4})
		bird, at := stage.BIRD(ctx, scene.Peering{Local: nodesAS, Remote: nodesAS, Family: 4, Lines: []string{"direct"}})
		s.Routed(ctx, bgp(peers(toFRR(ctx), peer("inner", at, nodesAS, scene.BIRDPort)),
			`- {name: plain}
- name: gold
  pools: [`+s.Namespace+`]
  serviceSelector: {matchLabels: {tier: gold}}
  communities: ["64513:100", "64513:1:2", no-export]
  med: 20
  localPreference: 200
  asPathPrepend: 2
`))
		s.Expose(ctx, "plain")
		s.Expose(ctx, "gold", scene.Dual, scene.Labelled("tier", "gold"))
		plain := host(s.Address(ctx, "plain"))
		node, med := stage.Nodes[0], uint32(20)

		for _, address := range s.Addresses(ctx, "gold", 2) {
			gold := host(address)
			Eventually(frr.Routes).WithContext(ctx).WithArguments(gold).Should(HaveKeyWithValue(node, router.Route{
				Prefix: gold, From: node, NextHops: []netip.Addr{hop(ctx, node, address)}, Path: []uint32{nodesAS, nodesAS, nodesAS},
				Communities: []string{"64513:100", "noExport"}, LargeCommunities: []string{"64513:1:2"}, MED: &med, Best: true,
			}))
			Eventually(bird.Routes).WithContext(ctx).WithArguments(gold).Should(HaveKeyWithValue(node, And(
				HaveField("NextHops", []netip.Addr{hop(ctx, node, address)}), HaveField("LocalPreference", BeEquivalentTo(200)),
				HaveField("Communities", ConsistOf("64513:100", "65535:65281")), HaveField("LargeCommunities", []string{"64513:1:2"}),
				HaveField("MED", HaveValue(BeEquivalentTo(20))))))
		}
		Eventually(frr.Routes).WithContext(ctx).WithArguments(plain).Should(HaveKeyWithValue(node, router.Route{
			Prefix: plain, From: node, NextHops: []netip.Addr{stage.HostAddress(ctx, node, 4)}, Path: []uint32{nodesAS}, Best: true,
		}))
		Eventually(bird.Routes).WithContext(ctx).WithArguments(plain).Should(HaveKeyWithValue(node, And(
			HaveField("Path", BeEmpty()), HaveField("LocalPreference", BeEquivalentTo(100)), HaveField("Communities", BeEmpty()))))
	})

	It("may be one prefix for many addresses, as long as there is one of them", func(ctx SpecContext) {
		s := stage.New(ctx)
		frr := stage.FRR(ctx, scene.Peering{Local: frrAS, Remote: nodesAS, Family: 4})
		s.Routed(ctx, bgp(peers(toFRR(ctx)), "- {name: whole, aggregationLength: {ipv4: 24, ipv6: 112}}\n"))
		s.Deploy(ctx, "web", 1)
		s.Expose(ctx, "web", scene.Dual)
		s.Expose(ctx, "other", scene.Dual, scene.For("web"))
		addresses := append(s.Addresses(ctx, "web", 2), s.Addresses(ctx, "other", 2)...)
		v4, v6 := netip.MustParsePrefix("10.77.0.0/24"), netip.MustParsePrefix("fd00:77::/112")
		only := func(family int, prefix netip.Prefix) {
			GinkgoHelper()
			Eventually(frr.Prefixes).WithContext(ctx).WithArguments(family).Should(Equal(map[netip.Prefix]int{prefix: len(stage.Nodes)}))
		}
		only(4, v4)
		only(6, v6)
		for _, address := range addresses {
			s.Reach(ctx, stage.Remote, address, scene.HTTP)
		}

		By("taking one away, and then the other")
		s.Delete(ctx, "other")
		Eventually(func() error { _, err := s.Service(ctx, "other"); return err }).WithContext(ctx).ShouldNot(Succeed())
		only(4, v4)
		only(6, v6)
		s.Delete(ctx, "web")
		for _, family := range []int{4, 6} {
			Eventually(frr.Prefixes).WithContext(ctx).WithArguments(family).Should(BeEmpty())
		}
	})
})
