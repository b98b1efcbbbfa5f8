package suite

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/heraldlb/herald/e2e/suite/scene"
)

var _ = Describe("Rubbish on the wire", func() {
	It("is dropped and counted, and everything still answers", func(ctx SpecContext) {
		s := stage.New(ctx)
		s.Deploy(ctx, "web", 1)
		s.Expose(ctx, "web", scene.Dual)
		addresses := s.Addresses(ctx, "web", 2)
		before, err := stage.Roles.Processes(ctx)
		Expect(err).NotTo(HaveOccurred())
		owners := map[string]float64{}
		for _, address := range addresses {
			s.Reach(ctx, stage.Client, address, scene.HTTP)
			owner := s.Owner(ctx, "web", address)
			owners[owner], err = dropped(ctx, owner)
			Expect(err).NotTo(HaveOccurred())
		}

		stage.Rubbish(ctx, addresses...)
		for owner, drops := range owners {
			Eventually(dropped).WithContext(ctx).WithArguments(owner).Should(BeNumerically(">", drops))
		}
		stage.Forget(ctx)
		for _, address := range addresses {
			s.Reach(ctx, stage.Client, address, scene.HTTP)
			s.Owner(ctx, "web", address)
		}
		Expect(stage.Roles.Processes(ctx)).To(ConsistOf(before), "no process ended")
	})
})

func dropped(ctx SpecContext, node string) (float64, error) {
	return stage.AgentMetric(ctx, node, "herald_drops_total", nil)
}
