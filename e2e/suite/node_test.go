package suite

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/heraldlb/herald/e2e/suite/scene"
)

const excluded = "node.kubernetes.io/exclude-from-external-load-balancers"

var _ = Describe("A node excluded from load balancers", func() {
	It("gives its addresses to others", func(ctx SpecContext) {
		s := stage.New(ctx)
		s.Deploy(ctx, "web", 2)
		s.Expose(ctx, "web", scene.Dual)
		for _, address := range s.Addresses(ctx, "web", 2) {
			s.Reach(ctx, stage.Client, address, scene.HTTP)
			owner := s.Owner(ctx, "web", address)

			label(ctx, owner, `""`)
			DeferCleanup(func(ctx SpecContext) { label(ctx, owner, "null") })
			Eventually(stage.Responders).WithContext(ctx).WithArguments(address).Should(
				And(HaveLen(1), Not(ContainElement(owner))))
			Expect(s.Owner(ctx, "web", address)).NotTo(Equal(owner), "the client learned of it by the new owner's announcement")
			s.Reach(ctx, stage.Client, address, scene.HTTP)

			label(ctx, owner, "null")
			s.Owner(ctx, "web", address)
			s.Reach(ctx, stage.Client, address, scene.HTTP)
		}
	})
})

// label sets the label, a JSON string, or with null takes it away.
func label(ctx SpecContext, node, value string) {
	GinkgoHelper()
	patch := fmt.Sprintf(`{"metadata":{"labels":{%q:%s}}}`, excluded, value)
	_, err := stage.API.CoreV1().Nodes().Patch(ctx, node, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	Expect(err).NotTo(HaveOccurred())
}
