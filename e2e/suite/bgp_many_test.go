package suite

import (
	"net/netip"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/heraldlb/herald/e2e/suite/ground"
	"github.com/heraldlb/herald/e2e/suite/scene"
)

// thousands are so many Services, each with an address of either family.
const thousands = 1000

var _ = Describe("2,000 addresses", Label(onLab), func() {
	It("are as many routes by each node", func(ctx SpecContext) {
		for _, node := range stage.Nodes { // nobody sends anything, and rules for all of it take a while
			stage.Hang(ctx, ground.Component{Host: node, Name: ground.Proxy})
		}
		s := stage.New(ctx)
		frr := stage.FRR(ctx, scene.Peering{Local: frrAS, Remote: nodesAS, Family: 4})
		s.Routed(ctx, bgp(peers(toFRR(ctx))))
		By("making them")
		exposeAll(ctx, s, thousands, func(int) []scene.Change { return []scene.Change{scene.Dual, scene.NoNodePorts} })
		all := map[int]int{4: thousands, 6: thousands}
		for _, node := range stage.Nodes {
			Eventually(frr.Sessions).WithContext(ctx).WithTimeout(massPatience).Should(HaveKeyWithValue(node, HaveField("Routes", all)))
		}
		for _, family := range []int{4, 6} {
			Expect(frr.Prefixes(ctx, family)).To(And(HaveLen(thousands), HaveEach(len(stage.Nodes))))
		}

		By("ending the sessions, and beginning them anew")
		s.SetBGP(ctx, bgp(peers(toFRR(ctx, "holdTime: 30s"))))
		begin := time.Now()
		for _, node := range stage.Nodes {
			Eventually(frr.Sessions).WithContext(ctx).Should(HaveKeyWithValue(node, And(HaveField("Routes", all), HaveField("Times", 2))))
		}
		AddReportEntry("told anew within", time.Since(begin).String())
		last := host(netip.MustParseAddr("10.77.3.0"))
		Eventually(stage.NextHops).WithContext(ctx).WithArguments(last).Should(Equal(stage.Nodes))
	}, SpecTimeout(2*massPatience))
})
