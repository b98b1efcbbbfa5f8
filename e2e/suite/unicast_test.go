package suite

import (
	. "github.com/onsi/ginkgo/v2"

	"github.com/heraldlb/herald/e2e/suite/ground"
)

var _ = Describe("A segment that filters multicast", func() {
	It("does for heartbeats by unicast", func(ctx SpecContext) {
		stage.Announcers(ctx, "--heartbeat=unicast")
		stage.Drop(ctx, "ip daddr 224.0.0.254 drop", "ip6 daddr ff02::114 drop")
		s := stage.New(ctx)
		victim, before := s.Crowd(ctx, "web")
		peersAlive(ctx)
		s.Deploy(ctx, "web", 1)
		capture := stage.Capture(ctx)

		stage.Signal(ctx, stage.Process(ctx, ground.Announcer, victim), "KILL")
		moved(ctx, s, capture, before, victim)
		told(ctx, s, before, victim)
	})
})
