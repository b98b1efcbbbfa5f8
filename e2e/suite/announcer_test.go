package suite

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/heraldlb/herald/e2e/suite/ground"
)

var _ = Describe("An announcer", func() {
	It("that is killed loses its addresses to others, and takes none back", func(ctx SpecContext) {
		s, fence := stage.New(ctx), stage.Fence(ctx)
		victim, before := s.Crowd(ctx, "web")
		s.Deploy(ctx, "web", 1)
		capture := stage.Capture(ctx)
		DeferCleanup(stage.Renew, victim)

		announcer := stage.Process(ctx, ground.Announcer, victim)
		stage.Signal(ctx, announcer, "KILL")
		moved(ctx, s, capture, before, victim)
		after := told(ctx, s, before, victim)

		stage.AwaitSuccessors(ctx, announcer)
		capture = stage.Capture(ctx)
		fence.Await(ctx, victim)
		capture.OnlyBy(after)
		Expect(s.Owners(ctx)).To(have(after))
	})

	It("that stalls for 50 ms keeps them", func(ctx SpecContext) {
		const stalls = 5
		s := stage.New(ctx)
		victim, before := s.Crowd(ctx, "web")
		capture := stage.Capture(ctx)
		for range stalls {
			stage.Stall(ctx, stage.Process(ctx, ground.Announcer, victim))
		}
		stage.AwaitHeartbeats(ctx)
		capture.OnlyBy(before)
		Expect(s.Owners(ctx)).To(Equal(before))
	})
})
