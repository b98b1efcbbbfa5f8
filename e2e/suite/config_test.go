package suite

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/heraldlb/herald/e2e/suite/scene"
)

// broken are pools that no one can hand out.
var broken = map[string]string{"cidr-global": "192.168.100.0/33"}

var _ = Describe("A bad edit of the pools", func() {
	It("is refused when it is applied", func(ctx SpecContext) {
		Expect(stage.TryPools(ctx, broken)).To(MatchError(And(
			ContainSubstring("cidr-global"), ContainSubstring("192.168.100.0/33"))))
	})

	It("changes nothing where it gets through", func(ctx SpecContext) {
		s := stage.New(ctx)
		s.Deploy(ctx, "web", 1)
		s.Expose(ctx, "web", scene.Dual)
		addresses := s.Addresses(ctx, "web", 2)

		unguard(ctx)
		Eventually(stage.TryPools).WithContext(ctx).WithArguments(broken).Should(Succeed())
		DeferCleanup(func(ctx SpecContext) { Eventually(stale).WithContext(ctx).Should(BeZero()) })
		stage.SetPools(ctx, broken)
		Eventually(stage.PoolEvents).WithContext(ctx).WithArguments("PoolsInvalid").Should(
			And(ContainSubstring("cidr-global"), ContainSubstring("192.168.100.0/33")))
		Eventually(stale).WithContext(ctx).Should(BeNumerically(">", 0))

		By("using what is there, and making more")
		for _, address := range addresses {
			s.Reach(ctx, stage.Client, address, scene.HTTP)
		}
		s.Expose(ctx, "late", scene.For("web"))
		late := s.Address(ctx, "late")
		Expect(stage.Global.V4.Contains(late)).To(BeTrue(), "%s is of the last good pool", late)
		s.Reach(ctx, stage.Client, late, scene.HTTP)
		Expect(s.Addresses(ctx, "web", 2)).To(Equal(addresses))
	})
})

// stale counts the controllers whose pools are not those of the ConfigMap.
func stale(ctx context.Context) (float64, error) {
	return stage.ControllerMetric(ctx, "herald_config_stale", nil)
}

// unguard lets broken pools pass until the case ends.
func unguard(ctx SpecContext) {
	GinkgoHelper()
	const name = "pools.heraldlb.io"
	bindings := stage.API.AdmissionregistrationV1().ValidatingAdmissionPolicyBindings()
	binding, err := bindings.Get(ctx, name, metav1.GetOptions{})
	Expect(err).NotTo(HaveOccurred())
	Expect(bindings.Delete(ctx, name, metav1.DeleteOptions{})).To(Succeed())
	DeferCleanup(func(ctx SpecContext) {
		binding.ResourceVersion, binding.UID = "", ""
		_, err := bindings.Create(ctx, binding, metav1.CreateOptions{})
		Expect(err).NotTo(HaveOccurred())
		Eventually(stage.TryPools).WithContext(ctx).WithArguments(broken).ShouldNot(Succeed())
	})
}
