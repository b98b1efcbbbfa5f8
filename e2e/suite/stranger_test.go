package suite

import (
	"context"
	"errors"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/heraldlb/herald/e2e/suite/ground"
	"github.com/heraldlb/herald/e2e/suite/scene"
)

var _ = Describe("A stranger that has an address", func() {
	It("is found anew by the next node if the one that found it died before it could say so", func(ctx SpecContext) {
		s := stage.New(ctx)
		s.Deploy(ctx, "web", 1)
		address := stage.Global.V4.To
		leave := stage.Occupy(ctx, address)
		stage.Mute(ctx)
		capture := stage.Capture(ctx)
		met, err := meetings(ctx)
		Expect(err).NotTo(HaveOccurred())
		s.Expose(ctx, "web", scene.Ask(address.String()))
		var first string
		Eventually(func() (err error) {
			first, err = met.by(ctx, stage.Nodes)
			return err
		}).WithContext(ctx).Should(Succeed())

		By("killing " + first)
		DeferCleanup(stage.Renew, first)
		stage.Signal(ctx, stage.Process(ctx, ground.Announcer, first), "KILL")
		var second string
		Eventually(func() (err error) {
			second, err = met.by(ctx, stage.Others(first))
			return err
		}).WithContext(ctx).Should(Succeed())
		Expect(capture.Unasked(address, stage.Nodes...)).To(BeEmpty(), "who announced it")

		By("leaving")
		leave(ctx)
		Eventually(capture.Announced).WithContext(ctx).WithArguments(address).Should(Equal(second))
		s.Reach(ctx, stage.Client, address, scene.HTTP)
	})
})

// meet counts the frames of strangers that each node has met.
type meet map[string]float64

func meetings(ctx context.Context) (meet, error) {
	met := meet{}
	for _, node := range stage.Nodes {
		count, err := stage.AgentMetric(ctx, node, "herald_conflicts_total", nil)
		if err != nil {
			return nil, err
		}
		met[node] = count
	}
	return met, nil
}

var errNobodyMet = errors.New("no node met a stranger")

// by returns one of the nodes that has met a stranger since.
func (m meet) by(ctx context.Context, nodes []string) (string, error) {
	now, err := meetings(ctx)
	if err != nil {
		return "", err
	}
	for _, node := range nodes {
		if now[node] > m[node] {
			return node, nil
		}
	}
	return "", errNobodyMet
}
