package suite

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/heraldlb/herald/e2e/suite/scene"
)

var _ = Describe("UDP", func() {
	It("works, beside TCP on the same Service too", func(ctx SpecContext) {
		s := stage.New(ctx)
		s.Deploy(ctx, "dns", 2)
		s.Expose(ctx, "dns", scene.Dual, scene.Ports(scene.TCP(scene.DNS), scene.UDP(scene.DNS)))
		for _, address := range s.Addresses(ctx, "dns", 2) {
			Expect(s.ReachUDP(ctx, address, scene.DNS).Pod).NotTo(BeEmpty())
			s.Reach(ctx, stage.Client, address, scene.DNS)
		}

		s.Expose(ctx, "only", scene.For("dns"), scene.Ports(scene.UDP(scene.DNS)))
		s.ReachUDP(ctx, s.Address(ctx, "only"), scene.DNS)
	})
})
