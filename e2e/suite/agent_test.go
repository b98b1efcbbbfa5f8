package suite

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/heraldlb/herald/e2e/suite/ground"
	"github.com/heraldlb/herald/e2e/suite/scene"
)

var _ = Describe("A node's processes", func() {
	It("lose no request when the agent is killed, hung or restarted", func(ctx SpecContext) {
		s := stage.New(ctx)
		s.Deploy(ctx, "web", 2)
		s.Expose(ctx, "web")
		address := s.Address(ctx, "web")
		s.Reach(ctx, stage.Client, address, scene.HTTP)
		owner := s.Owner(ctx, "web", address)
		flow := stage.Flow(ctx, address, scene.HTTP)

		By("killing it")
		agent := stage.Process(ctx, ground.Agent, owner)
		stage.Signal(ctx, agent, "KILL")
		Expect(stage.Neighbour(ctx, address)).To(Equal(owner))
		stage.AwaitSuccessors(ctx, agent)

		By("hanging it")
		agent = stage.Process(ctx, ground.Agent, owner)
		stage.Signal(ctx, agent, "STOP")
		Expect(stage.Responders(ctx, address)).To(Equal([]string{owner}))
		Expect(stage.Neighbour(ctx, address)).To(Equal(owner))
		stage.Signal(ctx, agent, "CONT")

		By("restarting it")
		stage.Signal(ctx, agent, "TERM")
		stage.AwaitSuccessors(ctx, agent)

		flow.Stop().Unharmed()
		Expect(s.Owner(ctx, "web", address)).To(Equal(owner))
	})

	It("lose no request when the agent crashes again and again", func(ctx SpecContext) {
		s := stage.New(ctx)
		s.Deploy(ctx, "web", 2)
		s.Expose(ctx, "web")
		address := s.Address(ctx, "web")
		s.Reach(ctx, stage.Client, address, scene.HTTP)
		owner := s.Owner(ctx, "web", address)
		DeferCleanup(stage.Renew, owner)
		capture := stage.Capture(ctx)
		flow := stage.Flow(ctx, address, scene.HTTP)
		for range 3 { // ever as soon as it runs
			agent := stage.Process(ctx, ground.Agent, owner)
			stage.Signal(ctx, agent, "KILL")
			Eventually(stage.Processes).WithContext(ctx).WithArguments(ground.Agent, owner).Should(
				ConsistOf(HaveField("PID", Not(Equal(agent.PID)))))
		}
		flow.Stop().Unharmed()
		capture.OnlyBy(scene.Owners{address: owner})
		Expect(stage.Responders(ctx, address)).To(Equal([]string{owner}))
	})

	It("lose no request when the node is cut off from the API server, and not Ready for that", func(ctx SpecContext) {
		s := stage.New(ctx)
		owner, before := s.Crowd(ctx, "web")
		s.Deploy(ctx, "web", 1, scene.OnNode(stage.Others(owner)[0]))
		var flows []*scene.Flow
		for _, address := range before.Of(owner) {
			s.Reach(ctx, stage.Client, address, scene.HTTP)
			flows = append(flows, stage.Flow(ctx, address, scene.HTTP))
		}
		capture := stage.Capture(ctx)

		heal := stage.CutOffServer(ctx, owner)
		stage.AwaitNodeReady(ctx, owner, false)
		heal(ctx)
		stage.AwaitNodeReady(ctx, owner, true)

		for _, flow := range flows {
			flow.Stop().Unharmed()
		}
		capture.OnlyBy(before)
		Expect(s.Owners(ctx)).To(Equal(before))
	})
})
