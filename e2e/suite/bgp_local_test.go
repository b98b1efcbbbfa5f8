package suite

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/heraldlb/herald/e2e/suite/scene"
)

// tries are so many requests that one of several nodes gets none of them once in a
// million times.
const tries = 40

var _ = Describe("Routers that know an address by several nodes", func() {
	It("spread over them, and with externalTrafficPolicy Local follow the Pods", func(ctx SpecContext) {
		s := stage.New(ctx)
		stage.Spread(ctx)
		frr := stage.FRR(ctx, scene.Peering{Local: frrAS, Remote: nodesAS, Family: 4})
		s.Routed(ctx, bgp(peers(toFRR(ctx))))
		s.Deploy(ctx, "web", int32(len(stage.Nodes)), scene.OnePerNode)
		s.Expose(ctx, "web", scene.Dual, scene.Local)
		addresses := s.Addresses(ctx, "web", 2)
		reached := func(nodes ...string) {
			GinkgoHelper()
			for _, address := range addresses {
				Eventually(stage.NextHops).WithContext(ctx).WithArguments(host(address)).Should(Equal(nodes))
				// A node's kube-proxy may know of a Pod later than its agent.
				Eventually(func(g Gomega) {
					answered := map[string]int{}
					for range tries {
						answer, err := stage.Get(ctx, stage.Remote, address, scene.HTTP)
						g.Expect(err).NotTo(HaveOccurred())
						g.Expect(answer.Client).To(Equal(source(ctx, stage.Remote, address)), "what the Pod saw")
						answered[answer.Node]++
					}
					g.Expect(answered).To(And(HaveLen(len(nodes)), HaveEach(BeNumerically(">", 0))), "%s", nodes)
				}).WithContext(ctx).Should(Succeed())
			}
		}
		reached(stage.Nodes...)

		By("leaving one Pod")
		s.Deploy(ctx, "one", 1, scene.OnNode(stage.Nodes[1]))
		s.Edit(ctx, "web", scene.For("one"))
		reached(stage.Nodes[1])

		By("taking it away")
		s.Scale(ctx, "one", 0)
		for _, address := range addresses {
			Eventually(stage.NextHops).WithContext(ctx).WithArguments(host(address)).Should(BeEmpty())
			Expect(frr.Routes(ctx, host(address))).To(BeEmpty())
		}

		By("bringing it back")
		s.Scale(ctx, "one", 1)
		reached(stage.Nodes[1])
		established(ctx, frr.Sessions, 1, stage.Nodes...)
	})

	It("do not hear of nodes that are excluded from load balancers", func(ctx SpecContext) {
		s := stage.New(ctx)
		stage.FRR(ctx, scene.Peering{Local: frrAS, Remote: nodesAS, Family: 4})
		s.Routed(ctx, bgp(peers(toFRR(ctx))))
		s.Deploy(ctx, "web", 2)
		s.Expose(ctx, "web")
		address := s.Address(ctx, "web")
		Eventually(stage.NextHops).WithContext(ctx).WithArguments(host(address)).Should(Equal(stage.Nodes))
		stage.Proxied(ctx, address)
		s.Reach(ctx, stage.Client, address, scene.HTTP)
		flow := stage.Flow(ctx, address, scene.HTTP)

		label(ctx, stage.Nodes[0], `""`)
		DeferCleanup(func(ctx SpecContext) { label(ctx, stage.Nodes[0], "null") })
		Eventually(stage.NextHops).WithContext(ctx).WithArguments(host(address)).Should(Equal(stage.Nodes[1:]))
		label(ctx, stage.Nodes[0], "null")
		Eventually(stage.NextHops).WithContext(ctx).WithArguments(host(address)).Should(Equal(stage.Nodes))
		flow.Stop().Lose(2 * inFlight)
	})
})
