package suite

import (
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"github.com/heraldlb/herald/e2e/suite/scene"
)

var _ = Describe("A Service of type LoadBalancer", func() {
	DescribeTable("gets an address, and clients near and far reach it",
		func(ctx SpecContext, families []corev1.IPFamily, shape scene.Change) {
			s := stage.New(ctx)
			s.Deploy(ctx, "web", 2)
			s.Expose(ctx, "web", shape)

			addresses := s.Addresses(ctx, "web", len(families))
			for i, address := range addresses {
				Expect(family(address)).To(Equal(families[i]))
				s.Reach(ctx, stage.Client, address, scene.HTTP)
				s.Owner(ctx, "web", address)
				s.Reach(ctx, stage.Remote, address, scene.HTTP)
			}
		},
		Entry("over IPv4", []corev1.IPFamily{corev1.IPv4Protocol}, scene.Family(corev1.IPv4Protocol)),
		Entry("over IPv6", []corev1.IPFamily{corev1.IPv6Protocol}, scene.Family(corev1.IPv6Protocol)),
		Entry("over both", []corev1.IPFamily{corev1.IPv4Protocol, corev1.IPv6Protocol}, scene.Change(scene.Dual)),
	)

	It("has a status as the API means it", func(ctx SpecContext) {
		s := stage.New(ctx)
		s.Expose(ctx, "web", scene.Dual, scene.Ports(scene.TCP(scene.HTTP), scene.UDP(scene.DNS)))
		s.Addresses(ctx, "web", 2)

		service, err := s.Service(ctx, "web")
		Expect(err).NotTo(HaveOccurred())
		Expect(service.Finalizers).To(ContainElement(scene.Finalizer))
		for _, ingress := range service.Status.LoadBalancer.Ingress {
			Expect(ingress.IPMode).To(HaveValue(Equal(corev1.LoadBalancerIPModeVIP)))
			Expect(ingress.Ports).To(ConsistOf(
				corev1.PortStatus{Port: scene.HTTP, Protocol: corev1.ProtocolTCP},
				corev1.PortStatus{Port: scene.DNS, Protocol: corev1.ProtocolUDP},
			))
		}
		Eventually(s.Events).WithContext(ctx).WithArguments("web", "EnsuredLoadBalancer").ShouldNot(BeEmpty())
	})

	It("answers for nothing once it is deleted", func(ctx SpecContext) {
		s := stage.New(ctx)
		s.Deploy(ctx, "web", 1)
		s.Expose(ctx, "web", scene.Dual)
		addresses := s.Addresses(ctx, "web", 2)
		for _, address := range addresses {
			s.Reach(ctx, stage.Client, address, scene.HTTP)
		}

		s.Delete(ctx, "web")
		s.Silence(ctx, addresses...)
	})
})

func family(address netip.Addr) corev1.IPFamily {
	if address.Is4() {
		return corev1.IPv4Protocol
	}
	return corev1.IPv6Protocol
}
