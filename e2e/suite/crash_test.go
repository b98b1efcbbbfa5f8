package suite

import (
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"github.com/heraldlb/herald/e2e/suite/scene"
)

var _ = Describe("A node that crashes", func() {
	It("loses its addresses to others, and takes none back until it is told to", func(ctx SpecContext) {
		s, fence := stage.New(ctx), stage.Fence(ctx)
		victim, before := s.Crowd(ctx, "web")
		s.Deploy(ctx, "web", 1, scene.OnNode(stage.Others(victim)[0]))
		capture := stage.Capture(ctx)

		machine := stage.Machine(ctx, victim)
		machine.Crash(ctx)
		moved(ctx, s, capture, before, victim)
		after := told(ctx, s, before, victim)

		By("coming back")
		machine.Boot(ctx)
		capture = stage.Capture(ctx)
		fence.Await(ctx, victim)
		capture.OnlyBy(after)
		Expect(s.Owners(ctx)).To(have(after))

		By("being told")
		stage.CommandLine(ctx, "rebalance")
		Eventually(s.Owners).WithContext(ctx).Should(WithTransform(
			func(now scene.Owners) []netip.Addr { return now.Of(victim) },
			ContainElement(BeElementOf(before.Of(victim)))))
	})

	It("loses them with the API server away too, and that is told when it returns", func(ctx SpecContext) {
		s := stage.New(ctx)
		victim, before := s.Crowd(ctx, "web")
		s.Deploy(ctx, "web", 1, scene.OnNode(stage.Others(victim)[0]))
		for address := range before { // kube-proxy has the rules
			s.Reach(ctx, stage.Client, address, scene.HTTP)
		}
		capture := stage.Capture(ctx)

		machine := stage.Machine(ctx, victim)
		resume := stage.Hang(ctx, stage.Components.Server())
		machine.Crash(ctx)
		moved(ctx, s, capture, before, victim)
		resume(ctx)
		told(ctx, s, before, victim)
		machine.Boot(ctx)
	})
})

// moved waits until other nodes say on the segment that they have the victim's
// addresses, and clients reach one of each family.
func moved(ctx SpecContext, s *scene.Scene, capture *scene.Capture, before scene.Owners, victim string) {
	GinkgoHelper()
	lost, other := before.Of(victim), BeElementOf(stage.Others(victim))
	for _, address := range lost {
		Eventually(capture.Nodes).WithContext(ctx).WithArguments(address).Should(
			Or(ConsistOf(other), ConsistOf(victim, other)), "who took %s", address)
	}
	capture.OnlyBy(before.Without(victim))
	for _, address := range ends(lost) {
		s.Reach(ctx, stage.Client, address, scene.HTTP)
		s.Reach(ctx, stage.Remote, address, scene.HTTP)
	}
}

// told waits until the conditions name others than the victim, and events both
// of them, and returns who owns what now.
func told(ctx SpecContext, s *scene.Scene, before scene.Owners, victim string) scene.Owners {
	GinkgoHelper()
	var after scene.Owners
	Eventually(func(g Gomega) {
		var err error
		after, err = s.Owners(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(after.Of(victim)).To(BeEmpty())
	}).WithContext(ctx).Should(Succeed())
	Expect(after).To(have(before.Without(victim)), "nothing else moves")
	for _, address := range before.Of(victim) {
		Eventually(s.Events).WithContext(ctx).WithArguments("", "OwnerChanged").Should(
			MatchRegexp(`%s answers for %s .*before it %s`, after[address], address, victim))
	}
	return after
}

// have matches owners that those are among.
func have(part scene.Owners) types.GomegaMatcher {
	all := BeAssignableToTypeOf(part)
	for address, owner := range part {
		all = And(all, HaveKeyWithValue(address, owner))
	}
	return all
}
