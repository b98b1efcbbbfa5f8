package suite

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// The reasons for which what a forger sends is dropped, for sure.
var (
	forgedAlways  = []string{"oversized", "hop-limit", "port", "truncated", "trailing", "magic", "cluster", "replayed"}
	forgedUnkeyed = []string{"off-link", "keyed", "unknown"}
	forgedKeyed   = []string{"forged", "unkeyed"}
)

var _ = Describe("A forger on the segment", func() {
	It("moves nothing: what it sends is dropped, and counted by reason", func(ctx SpecContext) {
		s := stage.New(ctx)
		_, before := s.Crowd(ctx, "web")
		capture := stage.Capture(ctx)
		drops(ctx, append(forgedAlways, forgedUnkeyed...))
		capture.OnlyBy(before)
		Expect(s.Owners(ctx)).To(Equal(before))
		peersAlive(ctx)
	})

	It("moves nothing by a flood", func(ctx SpecContext) {
		s := stage.New(ctx)
		_, before := s.Crowd(ctx, "web")
		capture := stage.Capture(ctx)
		stage.Flood(ctx)
		stage.AwaitHeartbeats(ctx) // who was shut out would be dead by now
		capture.OnlyBy(before)
		Expect(s.Owners(ctx)).To(Equal(before))
		peersAlive(ctx)
	})
})

var _ = Describe("A second node of one name", func() {
	It("is complained of by all, and moves nothing", func(ctx SpecContext) {
		s := stage.New(ctx)
		victim, before := s.Crowd(ctx, "web")
		capture := stage.Capture(ctx)

		stage.Pose(ctx, victim)
		for _, node := range stage.Nodes {
			Eventually(complaints).WithContext(ctx).Should(HaveKeyWithValue(node, ContainElement(ContainSubstring(victim))))
		}
		stage.AwaitHeartbeats(ctx)
		capture.OnlyBy(before)
		Expect(s.Owners(ctx)).To(Equal(before))
	})
})

// drops sends bad datagrams of each family, and waits until the nodes have counted
// them as dropped for all of the reasons.
func drops(ctx SpecContext, reasons []string) {
	GinkgoHelper()
	const metric, label = "herald_heartbeat_drops_total", "reason"
	for _, family := range []string{"IPv4", "IPv6"} {
		before, err := stage.AgentsMetric(ctx, metric, label)
		Expect(err).NotTo(HaveOccurred())
		stage.Forge(ctx, family)
		Eventually(func(g Gomega) {
			now, err := stage.AgentsMetric(ctx, metric, label)
			g.Expect(err).NotTo(HaveOccurred())
			for _, reason := range reasons {
				g.Expect(now[reason]).To(BeNumerically(">", before[reason]), "%s, %s", family, reason)
			}
		}).WithContext(ctx).Should(Succeed())
	}
}

// peersAlive waits until all nodes hear each other, and nobody else.
func peersAlive(ctx SpecContext) {
	GinkgoHelper()
	for _, node := range stage.Nodes {
		Eventually(stage.AgentMetric).WithContext(ctx).WithArguments(node, "herald_members", map[string]string{"state": "Alive"}).
			Should(BeNumerically("==", len(stage.Nodes)-1), "peers of %s", node)
	}
}

// complaints returns what each node's announcer complains of.
func complaints(ctx context.Context) (map[string][]string, error) {
	report, err := stage.Status(ctx)
	if err != nil {
		return nil, err
	}
	all := map[string][]string{}
	for _, node := range report.Nodes {
		if node.View != nil && len(node.View.Complaints) > 0 {
			all[node.Name] = node.View.Complaints
		}
	}
	return all, nil
}
