package suite

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/heraldlb/herald/e2e/suite/scene"
)

var _ = Describe("A Service that changes", func() {
	It("loses its address as ClusterIP and gets one again as LoadBalancer", func(ctx SpecContext) {
		s := stage.New(ctx)
		s.Deploy(ctx, "web", 1)
		s.Expose(ctx, "web", scene.Dual)
		addresses := s.Addresses(ctx, "web", 2)
		s.Reach(ctx, stage.Client, addresses[0], scene.HTTP)

		s.Edit(ctx, "web", scene.OfType(corev1.ServiceTypeClusterIP))
		Eventually(func(g Gomega) {
			service, err := s.Service(ctx, "web")
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(service.Status.LoadBalancer.Ingress).To(BeEmpty())
			g.Expect(service.Finalizers).NotTo(ContainElement(scene.Finalizer))
			g.Expect(meta.FindStatusCondition(service.Status.Conditions, scene.ConditionAllocated)).To(BeNil())
		}).WithContext(ctx).Should(Succeed())
		s.Silence(ctx, addresses...)

		s.Edit(ctx, "web", scene.OfType(corev1.ServiceTypeLoadBalancer))
		for _, address := range s.Addresses(ctx, "web", 2) {
			s.Reach(ctx, stage.Client, address, scene.HTTP)
			s.Owner(ctx, "web", address)
		}
	})

	It("answers on its new port and no longer on the old one", func(ctx SpecContext) {
		s := stage.New(ctx)
		s.Deploy(ctx, "web", 1)
		s.Expose(ctx, "web")
		address := s.Address(ctx, "web")
		s.Reach(ctx, stage.Client, address, scene.HTTP)

		s.Edit(ctx, "web", scene.Ports(scene.TCPTo(81, scene.HTTP)))
		s.Reach(ctx, stage.Client, address, 81)
		Eventually(func() error {
			_, err := s.Get(ctx, stage.Client, address, scene.HTTP)
			return err
		}).WithContext(ctx).Should(HaveOccurred())
		Expect(s.Address(ctx, "web")).To(Equal(address))
		Eventually(s.Service).WithContext(ctx).WithArguments("web").Should(
			HaveField("Status.LoadBalancer.Ingress", ConsistOf(
				HaveField("Ports", ConsistOf(corev1.PortStatus{Port: 81, Protocol: corev1.ProtocolTCP})))))
	})
})
