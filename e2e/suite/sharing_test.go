package suite

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/heraldlb/herald/e2e/suite/scene"
)

var _ = Describe("Services with one sharing key", func() {
	It("share an address as long as their ports differ", func(ctx SpecContext) {
		s := stage.New(ctx)
		s.Deploy(ctx, "dns", 1)
		s.Expose(ctx, "tcp", scene.For("dns"), scene.Share("dns"), scene.Ports(scene.TCP(scene.DNS)))
		address := s.Address(ctx, "tcp")
		s.Expose(ctx, "udp", scene.For("dns"), scene.Share("dns"), scene.Ports(scene.UDP(scene.DNS)), scene.Ask(address.String()))
		Expect(s.Address(ctx, "udp")).To(Equal(address))

		s.Reach(ctx, stage.Client, address, scene.DNS)
		s.ReachUDP(ctx, address, scene.DNS)
		s.Owner(ctx, "udp", address)

		By("asking for a port that is in use")
		s.Expose(ctx, "clash", scene.Share("dns"), scene.Ports(scene.TCP(scene.DNS)), scene.Ask(address.String()))
		Expect(s.Refused(ctx, "clash", "RequestTaken")).To(ContainSubstring(s.Namespace + "/tcp"))

		By("asking for a free port without the key")
		s.Expose(ctx, "stranger", scene.Ports(scene.TCP(scene.HTTP)), scene.Ask(address.String()))
		s.Refused(ctx, "stranger", "RequestTaken")

		By("taking one of them away")
		s.Delete(ctx, "tcp")
		s.ReachUDP(ctx, address, scene.DNS)
		s.Owner(ctx, "udp", address)
	})
})

var _ = Describe("A pool that is shared", func() {
	It("gives one address to Services whose ports differ", func(ctx SpecContext) {
		s := stage.New(ctx)
		only := take(stage.Spare.V4, 1)
		s.OwnPool(ctx, map[string]string{"range": only.String(), "allow-share": "true"})
		s.Expose(ctx, "web", scene.Ports(scene.TCP(80)))
		s.Expose(ctx, "web-tls", scene.Ports(scene.TCP(443)))
		Expect(s.Address(ctx, "web")).To(Equal(only.From))
		Expect(s.Address(ctx, "web-tls")).To(Equal(only.From))
		s.Expose(ctx, "other", scene.Ports(scene.TCP(80)))
		s.Refused(ctx, "other", "PoolExhausted")
	})
})
