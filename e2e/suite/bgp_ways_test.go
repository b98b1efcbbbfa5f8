package suite

import (
	"fmt"
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/heraldlb/herald/e2e/suite/router"
	"github.com/heraldlb/herald/e2e/suite/scene"
)

var _ = Describe("The way that an address is announced", func() {
	It("is both: one node answers on the segment, and the routers know all", func(ctx SpecContext) {
		s := stage.New(ctx)
		stage.FRR(ctx, scene.Peering{Local: frrAS, Remote: nodesAS, Family: 4})
		pool := fmt.Sprint(take(stage.Spare.V4, 2), ",", take(stage.Spare.V6, 2))
		s.RoutedAs(ctx, "l2,bgp", pool, bgp(peers(toFRR(ctx))))
		s.Deploy(ctx, "web", 2)
		s.Expose(ctx, "web", scene.Dual)
		for _, address := range s.Addresses(ctx, "web", 2) {
			Eventually(stage.NextHops).WithContext(ctx).WithArguments(host(address)).Should(Equal(stage.Nodes))
			s.Reach(ctx, stage.Client, address, scene.HTTP)
			s.Reach(ctx, stage.Remote, address, scene.HTTP)
			s.Owner(ctx, "web", address)
		}
	})

	It("follows the ConfigMap, from one to the other", func(ctx SpecContext) {
		s := stage.New(ctx)
		stage.FRR(ctx, scene.Peering{Local: frrAS, Remote: nodesAS, Family: 4})
		pool, config := take(stage.Spare.V4, 2).String(), bgp(peers(toFRR(ctx)))
		s.RoutedAs(ctx, "l2", pool, config)
		s.Deploy(ctx, "web", 1)
		s.Expose(ctx, "web")
		address := s.Address(ctx, "web")
		s.Reach(ctx, stage.Client, address, scene.HTTP)
		s.Owner(ctx, "web", address)
		Expect(stage.NextHops(ctx, host(address))).To(BeEmpty())

		By("to BGP alone")
		s.RoutedAs(ctx, "bgp", pool, config)
		Eventually(stage.NextHops).WithContext(ctx).WithArguments(host(address)).Should(Equal(stage.Nodes))
		s.Silence(ctx, address)
		s.Reach(ctx, stage.Remote, address, scene.HTTP)

		By("and back")
		s.RoutedAs(ctx, "l2", pool, config)
		Eventually(stage.NextHops).WithContext(ctx).WithArguments(host(address)).Should(BeEmpty())
		stage.Forget(ctx)
		s.Reach(ctx, stage.Client, address, scene.HTTP)
		s.Owner(ctx, "web", address)
	})

	It("needs no address of the router: it is found on the interface", Label(onLab), func(ctx SpecContext) {
		s := stage.New(ctx)
		frr := stage.FRR(ctx, scene.Peering{Local: frrAS, Remote: nodesAS, Family: 6, Lines: []string{"capability extended-nexthop"}})
		lines := []string{
			"interface " + stage.Interface, "no ipv6 nd suppress-ra", "ipv6 nd ra-interval msec 500", "ipv6 nd ra-lifetime 0", "exit",
			fmt.Sprint("router bgp ", frrAS),
		}
		for _, node := range stage.Nodes {
			neighbor := "neighbor " + stage.LinkLocal(ctx, node).String()
			lines = append(lines, neighbor+" peer-group nodes", neighbor+" interface "+stage.Interface)
		}
		Expect(frr.Configure(ctx, lines...)).To(Succeed())
		s.Routed(ctx, bgp([]string{fmt.Sprintf("- {name: unnumbered, interface: %s, asn: %d, connectTime: 1s}\n", stage.Interface, frrAS)}))
		s.Deploy(ctx, "web", 2)
		s.Expose(ctx, "web", scene.Dual)
		for _, address := range s.Addresses(ctx, "web", 2) {
			family := 4
			if address.Is6() {
				family = 6
			}
			Eventually(frr.Prefixes).WithContext(ctx).WithArguments(family).Should(Equal(map[netip.Prefix]int{host(address): len(stage.Nodes)}))
			Eventually(func() ([]netip.Addr, error) { return router.NextHops(ctx, stage.Hosts, stage.Router, host(address)) }).WithContext(ctx).
				Should(And(HaveLen(len(stage.Nodes)), HaveEach(HaveField("IsLinkLocalUnicast()", true))))
			s.Reach(ctx, stage.Remote, address, scene.HTTP)
		}
	})
})
