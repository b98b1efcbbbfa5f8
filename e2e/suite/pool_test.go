package suite

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/heraldlb/herald/e2e/suite/ground"
	"github.com/heraldlb/herald/e2e/suite/scene"
)

var _ = Describe("The pool of a namespace", func() {
	It("comes before the global one, which never stands in for it", func(ctx SpecContext) {
		s := stage.New(ctx)
		own := take(stage.Spare.V4, 1)
		s.OwnPool(ctx, map[string]string{"range": own.String()})

		s.Expose(ctx, "first")
		Expect(s.Address(ctx, "first")).To(Equal(own.From))
		By("exhausting it")
		s.Expose(ctx, "second")
		s.Refused(ctx, "second", "PoolExhausted")
		By("asking for a family that it lacks")
		s.Expose(ctx, "third", scene.Family(corev1.IPv6Protocol))
		s.Refused(ctx, "third", "NoPool")
		By("asking for an address of the global pool")
		s.Expose(ctx, "fourth", scene.Ask(stage.Global.V4.From.String()))
		s.Refused(ctx, "fourth", "RequestOutsidePool")

		By("looking at a namespace without a pool")
		other := stage.New(ctx)
		other.Expose(ctx, "web", scene.Dual)
		addresses := other.Addresses(ctx, "web", 2)
		Expect(stage.Global.V4.Contains(addresses[0])).To(BeTrue(), "%s", addresses[0])
		Expect(stage.Global.V6.Contains(addresses[1])).To(BeTrue(), "%s", addresses[1])
	})

	It("gives what is freed, and what is added, to the one that waits longest", func(ctx SpecContext) {
		s := stage.New(ctx)
		s.OwnPool(ctx, map[string]string{"range": take(stage.Spare.V4, 1).String()})
		s.Expose(ctx, "holder")
		address := s.Address(ctx, "holder")

		// Their names are in the order that their ages are not.
		older := s.Expose(ctx, "z-older")
		s.Refused(ctx, "z-older", "PoolExhausted")
		Eventually(metav1.Now).WithContext(ctx).Should( // ages are counted in seconds
			HaveField("Time", BeTemporally(">=", older.CreationTimestamp.Add(1e9))))
		s.Expose(ctx, "a-younger")
		s.Refused(ctx, "a-younger", "PoolExhausted")

		s.Delete(ctx, "holder")
		Expect(s.Address(ctx, "z-older")).To(Equal(address))
		s.Refused(ctx, "a-younger", "PoolExhausted")

		wider := take(stage.Spare.V4, 2)
		s.OwnPool(ctx, map[string]string{"range": wider.String()})
		Expect(s.Address(ctx, "a-younger")).To(Equal(wider.To))
	})
})

func take(from ground.Range, n int) ground.Range {
	GinkgoHelper()
	part, err := from.Take(n)
	Expect(err).NotTo(HaveOccurred())
	return part
}
