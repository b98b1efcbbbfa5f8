package suite

import (
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"github.com/heraldlb/herald/e2e/suite/router"
	"github.com/heraldlb/herald/e2e/suite/scene"
)

var _ = Describe("A change of bgp.yaml", func() {
	It("ends only the sessions that it is about", func(ctx SpecContext) {
		s := stage.New(ctx)
		frr := stage.FRR(ctx, scene.Peering{Local: frrAS, Remote: nodesAS, Family: 4})
		bird, at := stage.BIRD(ctx, scene.Peering{Local: birdAS, Remote: nodesAS, Family: 4})
		config := func(hold string, advertisements ...string) string {
			return bgp(peers(toFRR(ctx), toBIRD("changing", at, "holdTime: "+hold)), advertisements...)
		}
		s.Routed(ctx, config("30s"))
		s.Expose(ctx, "web")
		address := host(s.Address(ctx, "web"))
		established(ctx, frr.Sessions, 1, stage.Nodes...)
		for _, node := range stage.Nodes {
			Eventually(bird.Sessions).WithContext(ctx).Should(HaveKeyWithValue(node, holds(30*time.Second)))
		}

		By("changing the other peer")
		s.SetBGP(ctx, config("21s"))
		for _, node := range stage.Nodes {
			Eventually(bird.Sessions).WithContext(ctx).Should(HaveKeyWithValue(node, holds(21*time.Second)))
		}
		By("changing what is told")
		s.SetBGP(ctx, config("21s", "- {name: all, communities: [\"64513:7\"]}\n"))
		for _, node := range stage.Nodes {
			Eventually(frr.Routes).WithContext(ctx).WithArguments(address).Should(
				HaveKeyWithValue(node, HaveField("Communities", []string{"64513:7"})))
		}
		By("taking the other away")
		s.SetBGP(ctx, bgp(peers(toFRR(ctx))))
		for _, node := range stage.Nodes {
			Eventually(bird.Sessions).WithContext(ctx).Should(HaveKeyWithValue(node, HaveField("State", Not(Equal(router.Established)))))
		}
		established(ctx, frr.Sessions, 1, stage.Nodes...)
	})

	It("that is broken changes nothing, and is told of line by line", func(ctx SpecContext) {
		s := stage.New(ctx)
		frr := stage.FRR(ctx, scene.Peering{Local: frrAS, Remote: nodesAS, Family: 4})
		config := bgp(peers(toFRR(ctx)))
		s.Routed(ctx, config)
		s.Expose(ctx, "web")
		address := host(s.Address(ctx, "web"))
		Eventually(stage.NextHops).WithContext(ctx).WithArguments(address).Should(Equal(stage.Nodes))

		s.SetBGP(ctx, strings.Replace(config, "asn: 64514", "asn: 4294967296", 1)+"- {name: other, addr: 192.0.2.1, asn: 1}\n")
		Eventually(stage.PoolEvents).WithContext(ctx).WithArguments("PoolsInvalid").Should(
			And(ContainSubstring("4294967296"), ContainSubstring("addr"), ContainSubstring("bgp.yaml:3:"), ContainSubstring("bgp.yaml:4:")))
		s.Expose(ctx, "late")
		Eventually(stage.NextHops).WithContext(ctx).WithArguments(host(s.Address(ctx, "late"))).Should(Equal(stage.Nodes))
		established(ctx, frr.Sessions, 1, stage.Nodes...)
	})

	It("whose selectors select nothing is told of", func(ctx SpecContext) {
		s := stage.New(ctx)
		frr := stage.FRR(ctx, scene.Peering{Local: frrAS, Remote: nodesAS, Family: 4})
		s.Routed(ctx, bgp(peers(toFRR(ctx, "nodeSelector: {matchLabels: {kubernetes.io/hostname: "+stage.Nodes[0]+"}}")),
			"- {name: nobodys, serviceSelector: {matchLabels: {no: such}}}\n"))
		s.Expose(ctx, "web")
		address := s.Address(ctx, "web")
		established(ctx, frr.Sessions, 1, stage.Nodes[0])
		for node, complaint := range map[string]string{
			stage.Nodes[0]: "no advertisement of bgp.yaml selects any",
			stage.Nodes[1]: "no peer of bgp.yaml selects this node",
		} {
			Eventually(stage.NodeEvents).WithContext(ctx).WithArguments(node, "BGPNothingSelected").Should(ContainSubstring(complaint))
		}
		Expect(frr.Sessions(ctx)).To(HaveKeyWithValue(stage.Nodes[1], HaveField("State", Not(Equal(router.Established)))))
		Expect(frr.Routes(ctx, host(address))).To(BeEmpty())
	})
})

// holds matches an established session with a hold time.
func holds(hold time.Duration) types.GomegaMatcher {
	return And(HaveField("State", router.Established), HaveField("HoldTime", hold))
}

var _ = Describe("The password of a session", func() {
	It("has to be the router's, or the event says that it may not be", func(ctx SpecContext) {
		s := stage.New(ctx)
		frr := stage.FRR(ctx, scene.Peering{Local: frrAS, Remote: nodesAS, Family: 4, Lines: []string{"password right"}})
		bird, at := stage.BIRD(ctx, scene.Peering{Local: birdAS, Remote: nodesAS, Family: 4})
		stage.Passwords(ctx, map[string]string{"frr": "wrong"})
		s.Routed(ctx, bgp(peers(peer("locked", stage.HostAddress(ctx, stage.Router, 4), frrAS, 179, "passwordKey: frr"), toBIRD("open", at))))
		s.Expose(ctx, "web")
		address := host(s.Address(ctx, "web"))
		for _, node := range stage.Nodes {
			Eventually(bird.Routes).WithContext(ctx).WithArguments(address).Should(HaveKey(node))
			Eventually(stage.NodeEvents).WithContext(ctx).WithArguments(node, "BGPSessionDown").Should(
				And(ContainSubstring("locked"), ContainSubstring("password")))
		}
		Expect(stage.NextHops(ctx, address)).To(BeEmpty())

		By("putting it right")
		stage.Passwords(ctx, map[string]string{"frr": "right"})
		Eventually(stage.NextHops).WithContext(ctx).WithArguments(address).Should(Equal(stage.Nodes))
		established(ctx, frr.Sessions, 1, stage.Nodes...)

		By("taking it away")
		stage.Passwords(ctx, map[string]string{})
		Eventually(frr.Routes).WithContext(ctx).WithArguments(address).Should(BeEmpty())
		for _, node := range stage.Nodes {
			Eventually(bird.Sessions).WithContext(ctx).Should(HaveKeyWithValue(node, HaveField("State", router.Established)))
		}
	})
})
