package suite

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/heraldlb/herald/e2e/suite/scene"
)

var _ = Describe("What is seen on the wire", func() {
	It("agrees: captured frames, arping, ndisc6, the neighbour table, the status and the metrics", func(ctx SpecContext) {
		s := stage.New(ctx)
		s.Deploy(ctx, "web", 1)
		s.Expose(ctx, "web", scene.Dual)
		for _, address := range s.Addresses(ctx, "web", 2) {
			s.Reach(ctx, stage.Client, address, scene.HTTP)
			// The condition, arping or ndisc6, and the neighbour table.
			owner := s.Owner(ctx, "web", address)

			replies := func(ctx context.Context) (float64, error) {
				return stage.AgentMetric(ctx, owner, "herald_replies_sent_total", map[string]string{"family": string(family(address))})
			}
			before, err := replies(ctx)
			Expect(err).NotTo(HaveOccurred())

			capture := stage.Capture(ctx)
			Expect(stage.Responders(ctx, address)).To(Equal([]string{owner}))
			Eventually(capture.Nodes).WithContext(ctx).WithArguments(address).Should(Equal([]string{owner}))

			Eventually(replies).WithContext(ctx).Should(BeNumerically(">", before))
		}
	})
})
