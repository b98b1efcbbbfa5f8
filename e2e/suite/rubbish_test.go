package suite

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/heraldlb/herald/e2e/suite/scene"
)

// fault is a kind of malformed frame, as the metric's labels name it.
type fault struct{ family, reason string }

// faults are what the rubbish of package probe has for sure.
var faults = []fault{
	{"IPv4", "truncated"},
	{"IPv6", "truncated"},
	{"IPv6", "bad_hop_limit"},
	{"IPv6", "bad_checksum"},
	{"IPv6", "bad_option"},
}

var _ = Describe("Rubbish on the wire", func() {
	It("is dropped and counted, and everything still answers", func(ctx SpecContext) {
		s := stage.New(ctx)
		s.Deploy(ctx, "web", 1)
		s.Expose(ctx, "web", scene.Dual)
		addresses := s.Addresses(ctx, "web", 2)
		hearers := map[string]string{} // by family: a switch may keep groups from who is in none
		for _, address := range addresses {
			s.Reach(ctx, stage.Client, address, scene.HTTP)
			hearers[string(family(address))] = s.Owner(ctx, "web", address)
		}
		processes, err := stage.Roles.Processes(ctx)
		Expect(err).NotTo(HaveOccurred())
		before := map[fault]float64{}
		for _, fault := range faults {
			before[fault], err = dropped(ctx, hearers[fault.family], fault)
			Expect(err).NotTo(HaveOccurred())
		}

		stage.Rubbish(ctx, addresses...)
		for _, fault := range faults {
			Eventually(dropped).WithContext(ctx).WithArguments(hearers[fault.family], fault).Should(BeNumerically(">", before[fault]), "%v", fault)
		}
		stage.Forget(ctx)
		for _, address := range addresses {
			s.Reach(ctx, stage.Client, address, scene.HTTP)
			s.Owner(ctx, "web", address)
		}
		Expect(stage.Roles.Processes(ctx)).To(ConsistOf(processes), "no process ended")
	})
})

func dropped(ctx context.Context, node string, fault fault) (float64, error) {
	return stage.AgentMetric(ctx, node, "herald_drops_total", map[string]string{"family": fault.family, "reason": fault.reason})
}
