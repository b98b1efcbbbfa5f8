package suite

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/heraldlb/herald/e2e/suite/scene"
)

var _ = Describe("A request for an address", func() {
	It("is met, and nobody else's address is taken for it", func(ctx SpecContext) {
		s := stage.New(ctx)
		s.Deploy(ctx, "web", 1)
		wanted := stage.Global.V4.To
		s.Expose(ctx, "web", scene.Ask(wanted.String()))
		Expect(s.Address(ctx, "web")).To(Equal(wanted))
		s.Reach(ctx, stage.Client, wanted, scene.HTTP)

		By("asking for it a second time")
		s.Expose(ctx, "late", scene.Ask(wanted.String()))
		holder := s.Namespace + "/web"
		Expect(s.Refused(ctx, "late", "RequestTaken")).To(ContainSubstring(holder))
		Eventually(s.Events).WithContext(ctx).WithArguments("late", "AllocationFailed").Should(ContainSubstring(holder))

		By("giving it up")
		s.Delete(ctx, "web")
		Expect(s.Address(ctx, "late")).To(Equal(wanted))
	})

	It("outside the pool is refused", func(ctx SpecContext) {
		s := stage.New(ctx)
		s.Expose(ctx, "web", scene.Ask("203.0.113.1"))
		Expect(s.Refused(ctx, "web", "RequestOutsidePool")).To(ContainSubstring("203.0.113.1"))
	})

	DescribeTable("that makes no sense is refused, and says what is wrong",
		func(ctx SpecContext, annotation, value, culprit string) {
			s := stage.New(ctx)
			s.Expose(ctx, "web", scene.Annotate(annotation, value))
			message := s.Refused(ctx, "web", "RequestInvalid")
			Expect(message).To(And(ContainSubstring(annotation), ContainSubstring(culprit)))
		},
		Entry("a word", scene.AskAddress, "banana", "banana"),
		Entry("a prefix", scene.AskAddress, "192.168.100.0/24", "192.168.100.0/24"),
		Entry("a hole in a list", scene.AskAddress, "192.168.100.201,,", `""`),
		Entry("two of one family", scene.AskAddress, "192.168.100.201,192.168.100.202", "192.168.100.202"),
		Entry("the wrong family", scene.AskAddress, "fd00:100::1:1", "fd00:100::1:1"),
		Entry("multicast", scene.AskAddress, "224.0.0.1", "224.0.0.1"),
		Entry("kube-vip's DHCP", "kube-vip.io/loadbalancerIPs", "0.0.0.0", "DHCP"),
		Entry("rubbish for MetalLB", "metallb.io/loadBalancerIPs", "\x01\u202e💥", "💥"),
	)
})
