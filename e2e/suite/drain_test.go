package suite

import (
	"context"
	"fmt"
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/heraldlb/herald/e2e/suite/ground"
	"github.com/heraldlb/herald/e2e/suite/scene"
)

// inFlight is how many requests may be lost to a move: those under way in that
// instant, whose connection the successor does not know.
const inFlight = 2

var _ = Describe("A node that leaves", func() {
	DescribeTable("hands its addresses over: the successor answers before it stops, and keeps them",
		func(ctx SpecContext, leave func(ctx SpecContext, node string) (back func(SpecContext))) {
			s, fence := stage.New(ctx), stage.Fence(ctx)
			victim, before := s.Crowd(ctx, "web")
			s.Deploy(ctx, "web", 1, scene.OnNode(stage.Others(victim)[0]))
			flows := flowsTo(ctx, s, before.Of(victim))
			handovers, failovers := takeovers(ctx, victim)
			capture := stage.Capture(ctx)

			back := leave(ctx, victim)
			moved(ctx, s, capture, before, victim)
			after := told(ctx, s, before, victim)
			back(ctx)
			fence.Await(ctx, victim)

			for _, flow := range flows {
				flow.Stop().Lose(inFlight)
			}
			Expect(s.Owners(ctx)).To(have(after))
			Eventually(func(g Gomega) {
				nowHandovers, nowFailovers := takeovers(ctx, victim)
				g.Expect(nowHandovers-handovers).To(BeNumerically("==", len(before.Of(victim))), "handed over")
				g.Expect(nowFailovers).To(Equal(failovers), "taken without a word")
			}).WithContext(ctx).Should(Succeed())
		},
		Entry("being excluded from load balancers", func(ctx SpecContext, node string) func(SpecContext) {
			label(ctx, node, `""`)
			DeferCleanup(func(ctx SpecContext) { label(ctx, node, "null") })
			return func(ctx SpecContext) { label(ctx, node, "null") }
		}),
		Entry("its announcer being told to end", func(ctx SpecContext, node string) func(SpecContext) {
			announcer := stage.Process(ctx, ground.Announcer, node)
			DeferCleanup(stage.Renew, node)
			stage.Signal(ctx, announcer, "TERM")
			return func(ctx SpecContext) { stage.AwaitSuccessors(ctx, announcer) }
		}),
	)

	It("loses nothing with all others that do, one after another, as the DaemonSet is restarted", func(ctx SpecContext) {
		s := stage.New(ctx)
		victim, before := s.Crowd(ctx, "web")
		s.Deploy(ctx, "web", 2)
		addresses := before.Of(victim)
		capture := stage.Capture(ctx)
		flows := flowsTo(ctx, s, addresses)

		stage.Restart(ctx)
		for i, flow := range flows {
			nodes, err := capture.Nodes(ends(addresses)[i])
			Expect(err).NotTo(HaveOccurred())
			Expect(nodes).To(ContainElement(Not(Equal(victim))), "it moved")
			flow.Stop().Lose(inFlight * len(nodes))
		}
		for _, address := range ends(addresses) {
			s.Reach(ctx, stage.Client, address, scene.HTTP)
		}
	})
})

// ends returns the first and the last of addresses in order: one of each family.
func ends(addresses []netip.Addr) []netip.Addr {
	return []netip.Addr{addresses[0], addresses[len(addresses)-1]}
}

// flowsTo begins a flow to an address of each family.
func flowsTo(ctx SpecContext, s *scene.Scene, addresses []netip.Addr) []*scene.Flow {
	GinkgoHelper()
	var flows []*scene.Flow
	for _, address := range ends(addresses) {
		s.Reach(ctx, stage.Client, address, scene.HTTP)
		flows = append(flows, stage.Flow(ctx, address, scene.HTTP))
	}
	return flows
}

// takeovers returns how many addresses all nodes but one were given, and how
// many they took from nodes that were gone.
func takeovers(ctx context.Context, but string) (handovers, failovers float64) {
	GinkgoHelper()
	for _, node := range stage.Others(but) {
		given, err := stage.AgentMetric(ctx, node, "herald_handovers_total", nil)
		Expect(err).NotTo(HaveOccurred())
		taken, err := stage.AgentMetric(ctx, node, "herald_failovers_total", nil)
		Expect(err).NotTo(HaveOccurred())
		handovers, failovers = handovers+given, failovers+taken
	}
	return handovers, failovers
}

// label sets the label that excludes a node from load balancers, a JSON string,
// or with null takes it away.
func label(ctx context.Context, node, value string) {
	GinkgoHelper()
	const excluded = "node.kubernetes.io/exclude-from-external-load-balancers"
	patch := fmt.Sprintf(`{"metadata":{"labels":{%q:%s}}}`, excluded, value)
	_, err := stage.API.CoreV1().Nodes().Patch(ctx, node, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	Expect(err).NotTo(HaveOccurred())
}
