package suite

import (
	"net/netip"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/heraldlb/herald/e2e/suite/ground"
	"github.com/heraldlb/herald/e2e/suite/router"
	"github.com/heraldlb/herald/e2e/suite/scene"
)

var _ = Describe("A router", func() {
	DescribeTable("takes no route by a node that crashed",
		func(ctx SpecContext, peering scene.Peering, prepare func(SpecContext, *router.FRR), within time.Duration) {
			s := stage.New(ctx)
			frr := stage.FRR(ctx, peering)
			s.Routed(ctx, bgp(peers(toFRR(ctx))))
			victim, others := stage.Nodes[0], stage.Nodes[1:]
			s.Deploy(ctx, "web", 1, scene.OnNode(others[0]))
			s.Expose(ctx, "web", scene.Dual)
			addresses := s.Addresses(ctx, "web", 2)
			routedBy(ctx, addresses, stage.Nodes...)
			established(ctx, frr.Sessions, 1, stage.Nodes...)
			prepare(ctx, frr)
			routedBy(ctx, addresses, stage.Nodes...)

			machine := stage.Machine(ctx, victim)
			crash := time.Now()
			machine.Crash(ctx)
			routedBy(ctx, addresses, others...)
			took := time.Since(crash)
			AddReportEntry("withdrawn after", took.String())
			Expect(took).To(BeNumerically("<", within))
			for _, address := range addresses {
				s.Reach(ctx, stage.Remote, address, scene.HTTP)
			}

			By("coming back")
			machine.Boot(ctx)
			routedBy(ctx, addresses, stage.Nodes...)
		},
		Entry("by BFD", watchful(), watch, 4*time.Second),
		Entry("by the hold time", Label(onLab), scene.Peering{Local: frrAS, Remote: nodesAS, Family: 4}, impatient, 6*time.Second),
	)

	It("loses no packet while the agents are killed and come back", func(ctx SpecContext) {
		s := stage.New(ctx)
		frr := stage.FRR(ctx, watchful())
		s.Routed(ctx, bgp(peers(toFRR(ctx))))
		s.Deploy(ctx, "web", 2)
		s.Expose(ctx, "web", scene.Dual)
		addresses := s.Addresses(ctx, "web", 2)
		routedBy(ctx, addresses, stage.Nodes...)
		established(ctx, frr.Sessions, 1, stage.Nodes...)
		watch(ctx, frr)
		stage.Proxied(ctx, addresses...)
		flows := flowsTo(ctx, s, addresses)

		agents := agentsOf(ctx)
		for _, agent := range agents {
			DeferCleanup(stage.Renew, agent.Host)
			stage.Signal(ctx, agent, "KILL")
		}
		routed(ctx, addresses, stage.Nodes...)
		stage.AwaitSuccessors(ctx, agents...)
		established(ctx, frr.Sessions, 2, stage.Nodes...)
		Eventually(frr.Routes).WithContext(ctx).WithArguments(host(addresses[0])).Should(
			And(HaveLen(len(stage.Nodes)), HaveEach(HaveField("Stale", false))))
		routed(ctx, addresses, stage.Nodes...)
		for _, flow := range flows {
			flow.Stop().Unharmed()
		}
	})

	DescribeTable("is told by an agent that ends in order to take another node",
		func(ctx SpecContext, end func(SpecContext, ground.Process)) {
			s := stage.New(ctx)
			frr := stage.FRR(ctx, scene.Peering{Local: frrAS, Remote: nodesAS, Family: 4, Global: "log stdout debugging\ndebug bgp updates in"})
			s.Routed(ctx, bgp(peers(toFRR(ctx))))
			s.Deploy(ctx, "web", 2)
			s.Expose(ctx, "web")
			address := s.Address(ctx, "web")
			routedBy(ctx, []netip.Addr{address}, stage.Nodes...)
			stage.Proxied(ctx, address)
			s.Reach(ctx, stage.Client, address, scene.HTTP)
			flow := stage.Flow(ctx, address, scene.HTTP)

			victim := stage.Nodes[0]
			agent := stage.Process(ctx, ground.Agent, victim)
			end(ctx, agent)
			Expect(frr.Said(ctx, stage.HostAddress(ctx, victim, 4).String(), host(address).String(), "withdrawn")).To(Succeed())
			stage.AwaitSuccessors(ctx, agent)
			routedBy(ctx, []netip.Addr{address}, stage.Nodes...)
			flow.Stop().Lose(2 * inFlight)
		},
		Entry("when it is told to", Label(onLab), func(ctx SpecContext, agent ground.Process) {
			DeferCleanup(stage.Renew, agent.Host)
			stage.Signal(ctx, agent, "TERM")
		}),
		Entry("when its Pod is deleted", func(ctx SpecContext, agent ground.Process) { stage.Renew(ctx, agent.Host) }),
	)

	It("keeps what it was told while the API server is down", func(ctx SpecContext) {
		s := stage.New(ctx)
		frr := stage.FRR(ctx, scene.Peering{Local: frrAS, Remote: nodesAS, Family: 4})
		s.Routed(ctx, bgp(peers(toFRR(ctx, "holdTime: 3s"))))
		s.Deploy(ctx, "web", 2)
		s.Expose(ctx, "web", scene.Dual)
		addresses := s.Addresses(ctx, "web", 2)
		routedBy(ctx, addresses, stage.Nodes...)
		stage.Proxied(ctx, addresses...)
		flows := flowsTo(ctx, s, addresses)

		resume := stage.Hang(ctx, stage.Components.Server())
		Consistently(frr.Sessions).WithContext(ctx).WithTimeout(4 * time.Second).WithPolling(time.Second).Should(
			And(HaveLen(len(stage.Nodes)), HaveEach(And(HaveField("State", router.Established), HaveField("Times", 1)))))
		routed(ctx, addresses, stage.Nodes...)
		resume(ctx)
		for _, flow := range flows {
			flow.Stop().Unharmed()
		}
		routed(ctx, addresses, stage.Nodes...)
	})
})

// watchful is FRR that takes a silent node for dead after 900 ms. Its bfdd is a process like
// any other: on a busy machine it is not in time for much less.
func watchful() scene.Peering {
	return scene.Peering{Local: frrAS, Remote: nodesAS, Family: 4, Lines: []string{"bfd"}}
}

// watch has the nodes speak BFD with FRR too, and waits until they see each other. No
// session is begun anew for that. FRR does so by itself if BFD is there before the first
// session: it begins BFD anew then, and believes in the end of what there was before.
func watch(ctx SpecContext, frr *router.FRR) {
	GinkgoHelper()
	stage.SetBGP(ctx, bgp(peers(toFRR(ctx, "bfd: true"))))
	for _, node := range stage.Nodes {
		Eventually(frr.BFD).WithContext(ctx).Should(HaveKeyWithValue(node, "up"))
	}
	established(ctx, frr.Sessions, 1, stage.Nodes...)
}

// impatient has the sessions begin anew with a short hold time.
func impatient(ctx SpecContext, frr *router.FRR) {
	GinkgoHelper()
	stage.SetBGP(ctx, bgp(peers(toFRR(ctx, "holdTime: 3s"))))
	established(ctx, frr.Sessions, 2, stage.Nodes...)
}

// routedBy waits until the router sends packets to each address by these nodes.
func routedBy(ctx SpecContext, addresses []netip.Addr, nodes ...string) {
	GinkgoHelper()
	for _, address := range addresses {
		Eventually(stage.NextHops).WithContext(ctx).WithArguments(host(address)).Should(Equal(nodes), "routes to %s", address)
	}
}

// routed says that it does now.
func routed(ctx SpecContext, addresses []netip.Addr, nodes ...string) {
	GinkgoHelper()
	for _, address := range addresses {
		Expect(stage.NextHops(ctx, host(address))).To(Equal(nodes), "routes to %s", address)
	}
}

// agentsOf returns the agent of each node.
func agentsOf(ctx SpecContext) []ground.Process {
	GinkgoHelper()
	var agents []ground.Process
	for _, node := range stage.Nodes {
		agents = append(agents, stage.Process(ctx, ground.Agent, node))
	}
	return agents
}
