package suite

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("A node that hears no peer", func() {
	It("withdraws if it does not reach the API server either", func(ctx SpecContext) {
		s, fence := stage.New(ctx), stage.Fence(ctx)
		victim, before := s.Crowd(ctx, "web")

		// The client is on both sides.
		heal := stage.Cut(ctx, victim, append(stage.Others(victim), stage.Components.Server().Host)...)
		for _, address := range before.Of(victim) {
			Eventually(stage.Responders).WithContext(ctx).WithArguments(address).Should(
				And(HaveLen(1), Not(ContainElement(victim))), "who answers for %s", address)
		}
		after := told(ctx, s, before, victim)

		heal(ctx)
		fence.Await(ctx, victim)
		Expect(s.Owners(ctx)).To(have(after))
		for _, address := range ends(before.Of(victim)) {
			Expect(stage.Responders(ctx, address)).To(Equal([]string{after[address]}))
		}
	})

	// On kind the API server is on one of the others.
	It("carries on if it reaches the API server, and one of two owners remains when they meet", Label(onLab), func(ctx SpecContext) {
		s := stage.New(ctx)
		victim, before := s.Crowd(ctx, "web")
		addresses := ends(before.Of(victim))

		heal := stage.Cut(ctx, victim, stage.Others(victim)...)
		for _, address := range addresses {
			Eventually(stage.Responders).WithContext(ctx).WithArguments(address).Should(
				ConsistOf(Equal(victim), BeElementOf(stage.Others(victim))), "one owner of %s on each side", address)
		}

		capture := stage.Capture(ctx)
		heal(ctx)
		for _, address := range addresses {
			Eventually(stage.Responders).WithContext(ctx).WithArguments(address).Should(HaveLen(1), "who answers for %s", address)
			winner, err := stage.Responders(ctx, address)
			Expect(err).NotTo(HaveOccurred())
			Expect(winner).To(HaveLen(1))
			Expect(capture.Announced(address)).To(Equal(winner[0]), "who had the last word")
			Eventually(s.Owners).WithContext(ctx).Should(HaveKeyWithValue(address, winner[0]))
		}
	})
})
