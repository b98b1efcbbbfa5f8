package suite

import (
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/heraldlb/herald/e2e/suite/scene"
)

var _ = Describe("externalTrafficPolicy Local", func() {
	It("keeps the client's address, and the announcement follows the Pods", func(ctx SpecContext) {
		s := stage.New(ctx)
		first, second := stage.Nodes[0], stage.Nodes[1]
		s.Deploy(ctx, "web", 1, scene.OnNode(first))
		s.Expose(ctx, "web", scene.Dual, scene.Local)
		addresses := s.Addresses(ctx, "web", 2)
		served := func(node string) {
			GinkgoHelper()
			for _, address := range addresses {
				for _, host := range []string{stage.Client, stage.Remote} {
					answer := s.Reach(ctx, host, address, scene.HTTP)
					Expect(answer.Client).To(Equal(source(ctx, host, address)), "what the Pod saw of %s", host)
					Expect(answer.Node).To(Equal(node))
				}
				Expect(s.Owner(ctx, "web", address)).To(Equal(node))
			}
		}
		served(first)

		By("moving the Pod")
		s.Move(ctx, "web", second)
		served(second)

		By("taking the last Pod away")
		s.Scale(ctx, "web", 0)
		s.Silence(ctx, addresses...)
		for _, family := range []string{"IPv4", "IPv6"} {
			Expect(s.Unannounced(ctx, "web", family, "NoEligibleNode")).To(ContainSubstring("no node"))
		}

		By("bringing it back")
		s.Scale(ctx, "web", 1)
		served(second)
	})
})

// source returns the address that a host speaks from.
func source(ctx SpecContext, host string, to netip.Addr) netip.Addr {
	GinkgoHelper()
	address, err := stage.Source(ctx, host, to)
	Expect(err).NotTo(HaveOccurred())
	return address
}
