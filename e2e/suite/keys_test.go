package suite

import (
	"context"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/heraldlb/herald/e2e/suite/scene"
)

// Keys of heartbeats.
var firstKey, secondKey = strings.Repeat("1", 64), strings.Repeat("2", 64)

var _ = Describe("The key of heartbeats", func() {
	It("is taken up when its Secret is made, and rotated without a move", func(ctx SpecContext) {
		s := stage.New(ctx)
		s.Crowd(ctx, "web")

		By("making the Secret")
		stage.Keys(ctx, map[string]string{"current": firstKey})
		Eventually(keyed).WithContext(ctx).Should(Equal(len(stage.Nodes)))
		peersAlive(ctx)
		for address := range s.AwaitOwners(ctx) { // two may have had it until all had the key
			Eventually(stage.Responders).WithContext(ctx).WithArguments(address).Should(HaveLen(1), "who answers for %s", address)
		}

		By("forging with another")
		drops(ctx, append(forgedAlways, forgedKeyed...))

		By("rotating it")
		owners := s.AwaitOwners(ctx)
		capture := stage.Capture(ctx)
		for _, keys := range []map[string]string{
			{"current": firstKey, "next": secondKey},
			{"current": secondKey, "previous": firstKey},
			{"current": secondKey},
		} {
			stage.Keys(ctx, keys)
			stage.AwaitHeartbeats(ctx)
			peersAlive(ctx)
		}
		capture.OnlyBy(owners)
		Expect(s.Owners(ctx)).To(Equal(owners))
	})
})

// keyed counts the nodes whose announcers have a key.
func keyed(ctx context.Context) (int, error) {
	return nodesThat(ctx, func(view *scene.View) bool { return view.Keyed })
}

// nodesThat counts the nodes of whose announcers something holds.
func nodesThat(ctx context.Context, holds func(*scene.View) bool) (int, error) {
	status, err := stage.Status(ctx)
	if err != nil {
		return 0, err
	}
	count := 0
	for _, node := range status.Nodes {
		if node.View != nil && holds(node.View) {
			count++
		}
	}
	return count, nil
}
