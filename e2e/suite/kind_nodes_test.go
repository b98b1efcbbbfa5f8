package suite

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/heraldlb/herald/e2e/suite/scene"
)

var _ = Describe("A container that is a node", Label(onKind), func() {
	DescribeTable("loses its addresses to others, and takes none back",
		func(ctx SpecContext, end func(*scene.Machine, context.Context)) {
			s, fence := stage.New(ctx), stage.Fence(ctx)
			victim, before := s.Crowd(ctx, "web")
			s.Deploy(ctx, "web", 1, scene.OnNode(stage.Others(victim)[0]))
			capture := stage.Capture(ctx)

			machine := stage.Machine(ctx, victim)
			end(machine, ctx)
			moved(ctx, s, capture, before, victim)
			after := told(ctx, s, before, victim)
			machine.Boot(ctx)
			fence.Await(ctx, victim)
			Expect(s.Owners(ctx)).To(have(after))
		},
		Entry("when it is killed", (*scene.Machine).Kill),
		// No hand-over: the container's first process ends at once, and the kernel kills the rest.
		Entry("when it is restarted", (*scene.Machine).ShutDown),
	)

	It("that is paused loses its addresses to others, and one of two owners remains when it goes on", func(ctx SpecContext) {
		s, fence := stage.New(ctx), stage.Fence(ctx)
		victim, before := s.Crowd(ctx, "web")
		s.Deploy(ctx, "web", 1, scene.OnNode(stage.Others(victim)[0]))
		capture := stage.Capture(ctx)

		resume := stage.Pause(ctx, victim)
		moved(ctx, s, capture, before, victim)
		told(ctx, s, before, victim)
		resume(ctx)
		fence.Await(ctx, victim)
		for address := range before {
			Eventually(func(g Gomega) {
				owners, err := s.Owners(ctx)
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(stage.Responders(ctx, address)).To(Equal([]string{owners[address]}))
			}).WithContext(ctx).Should(Succeed(), "who answers for %s", address)
		}
	})
})

var _ = Describe("A node whose kubelet is stopped", Label(onKind), func() {
	It("is not Ready, and keeps its addresses", func(ctx SpecContext) {
		s := stage.New(ctx)
		owner, before := s.Crowd(ctx, "web")
		s.Deploy(ctx, "web", 1, scene.OnNode(stage.Others(owner)[0]))
		capture := stage.Capture(ctx)
		flows := flowsTo(ctx, s, before.Of(owner))

		start := func(ctx SpecContext) { Expect(stage.Kind.Systemctl(ctx, owner, "start", "kubelet")).To(Succeed()) }
		DeferCleanup(start)
		Expect(stage.Kind.Systemctl(ctx, owner, "stop", "kubelet")).To(Succeed())
		stage.AwaitNodeReady(ctx, owner, false)
		stage.AwaitHeartbeats(ctx)
		for address := range before {
			s.Reach(ctx, stage.Client, address, scene.HTTP)
		}
		start(ctx)
		stage.AwaitNodeReady(ctx, owner, true)

		for _, flow := range flows {
			flow.Stop().Unharmed()
		}
		capture.OnlyBy(before)
		Expect(s.Owners(ctx)).To(Equal(before))
	})
})

var _ = Describe("A node that is drained by kubectl", Label(onKind), func() {
	It("keeps its addresses but those whose Pods leave it, under externalTrafficPolicy Local", func(ctx SpecContext) {
		s, local := stage.New(ctx), stage.New(ctx)
		victim, before := s.Crowd(ctx, "web")
		s.Deploy(ctx, "web", 1, scene.OnNode(stage.Others(victim)[0]))
		local.Deploy(ctx, "web", 1, scene.Preferring(victim))
		local.Expose(ctx, "web", scene.Dual, scene.Local)
		followers := local.Addresses(ctx, "web", 2)
		for _, address := range followers {
			Expect(local.Reach(ctx, stage.Client, address, scene.HTTP).Node).To(Equal(victim))
		}
		capture := stage.Capture(ctx)
		flows := flowsTo(ctx, s, before.Of(victim))

		DeferCleanup(func(ctx SpecContext) {
			_, err := stage.Kind.Kubectl(ctx, "uncordon", victim)
			Expect(err).NotTo(HaveOccurred())
		})
		_, err := stage.Kind.Kubectl(ctx, "drain", victim, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=60s")
		Expect(err).NotTo(HaveOccurred())

		local.AwaitReady(ctx, "web", 1)
		for _, address := range followers {
			answer := local.Reach(ctx, stage.Client, address, scene.HTTP)
			Expect(answer.Node).NotTo(Equal(victim))
			Expect(local.Owner(ctx, "web", address)).To(Equal(answer.Node))
		}
		for _, flow := range flows {
			flow.Stop().Unharmed()
		}
		capture.OnlyBy(before)
		Expect(s.Owners(ctx)).To(Equal(before))
	})
})
