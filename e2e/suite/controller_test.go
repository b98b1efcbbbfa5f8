package suite

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/heraldlb/herald/e2e/suite/ground"
	"github.com/heraldlb/herald/e2e/suite/scene"
)

// leaseExpiry is how long a new leader may have to wait for the Lease of one
// that was killed, and then some.
const leaseExpiry = 40 * time.Second

var _ = Describe("The controller", func() {
	It("renumbers nothing and gives nothing twice, however it ends", func(ctx SpecContext) {
		s := stage.New(ctx)
		s.OwnPool(ctx, map[string]string{"range": stage.Spare.V4.String()})
		made := expose(ctx, s, "before", 10)
		Eventually(held).WithContext(ctx).WithArguments(s).Should(HaveLen(made))
		before, err := held(ctx, s)
		Expect(err).NotTo(HaveOccurred())

		for _, end := range []struct{ name, signal string }{
			{"killed", "KILL"}, // both at once; the Lease has to expire
			{"restarted", "TERM"},
		} {
			By("being " + end.name + " while Services are made")
			replicas, err := stage.Processes(ctx, ground.Controller, "")
			Expect(err).NotTo(HaveOccurred())
			Expect(replicas).To(HaveLen(2))
			made += expose(ctx, s, end.name+"-first", 10)
			for _, replica := range replicas {
				stage.Signal(ctx, replica, end.signal)
			}
			made += expose(ctx, s, end.name+"-then", 10)

			Eventually(held).WithContext(ctx).WithTimeout(leaseExpiry).WithArguments(s).Should(HaveLen(made))
			stage.AwaitSuccessors(ctx, replicas...)
		}

		now, err := held(ctx, s)
		Expect(err).NotTo(HaveOccurred())
		for name, address := range before {
			Expect(now).To(HaveKeyWithValue(name, address))
		}
		addresses := slices.SortedFunc(maps.Values(now), netip.Addr.Compare)
		Expect(slices.Compact(addresses)).To(HaveLen(made), "addresses of %d Services", made)
	})
})

// expose makes n Services without Pods, and returns n.
func expose(ctx context.Context, s *scene.Scene, name string, n int) int {
	GinkgoHelper()
	for i := range n {
		s.Expose(ctx, fmt.Sprintf("%s-%d", name, i))
	}
	return n
}

// held returns the addresses of a scene's Services that have one.
func held(ctx context.Context, s *scene.Scene) (map[string]netip.Addr, error) {
	list, err := s.API.CoreV1().Services(s.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	byName := map[string]netip.Addr{}
	for i := range list.Items {
		addresses, err := scene.Addresses(&list.Items[i])
		if err != nil {
			return nil, err
		}
		if len(addresses) > 0 {
			byName[list.Items[i].Name] = addresses[0]
		}
	}
	return byName, nil
}
