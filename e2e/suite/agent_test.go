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

	It("answer again after the announcer was killed", func(ctx SpecContext) {
		s := stage.New(ctx)
		s.Deploy(ctx, "web", 2)
		s.Expose(ctx, "web", scene.Dual)
		for _, address := range s.Addresses(ctx, "web", 2) {
			s.Reach(ctx, stage.Client, address, scene.HTTP)
			owner := s.Owner(ctx, "web", address)
			announcer := stage.Process(ctx, ground.Announcer, owner)
			stage.Signal(ctx, announcer, "KILL")
			stage.AwaitSuccessors(ctx, announcer)
			stage.Forget(ctx)
			s.Reach(ctx, stage.Client, address, scene.HTTP)
			Expect(s.Owner(ctx, "web", address)).To(Equal(owner))
		}
	})
})
