package suite

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/heraldlb/herald/e2e/suite/scene"
)

var _ = Describe("200 Services at once", func() {
	It("each answer, and each by one node", func(ctx SpecContext) {
		s := stage.New(ctx)
		s.OwnPool(ctx, map[string]string{"range": fmt.Sprint(stage.Spare.V4, ",", stage.Spare.V6)})
		s.Deploy(ctx, "web", 2)
		var makers sync.WaitGroup
		for maker := range 10 {
			makers.Go(func() {
				defer GinkgoRecover()
				for i := range 10 {
					number := maker*10 + i
					s.Expose(ctx, fmt.Sprintf("v4-%d", number), scene.For("web"), scene.Family(corev1.IPv4Protocol))
					s.Expose(ctx, fmt.Sprintf("v6-%d", number), scene.For("web"), scene.Family(corev1.IPv6Protocol))
				}
			})
		}
		makers.Wait()

		Eventually(held).WithContext(ctx).WithArguments(s).Should(HaveLen(200))
		byName, err := held(ctx, s)
		Expect(err).NotTo(HaveOccurred())
		addresses := slices.SortedFunc(maps.Values(byName), netip.Addr.Compare)
		Expect(slices.Compact(slices.Clone(addresses))).To(HaveLen(200), "addresses that differ")

		Eventually(stage.GetAll).WithContext(ctx).WithArguments(addresses, uint16(scene.HTTP)).Should(BeEmpty())
		neighbours, err := stage.Neighbours(ctx)
		Expect(err).NotTo(HaveOccurred())
		list, err := s.API.CoreV1().Services(s.Namespace).List(ctx, metav1.ListOptions{})
		Expect(err).NotTo(HaveOccurred())
		owners := map[string]int{}
		for i := range list.Items {
			address := byName[list.Items[i].Name]
			owner, err := scene.Announcer(&list.Items[i], address)
			Expect(err).NotTo(HaveOccurred())
			Expect(neighbours).To(HaveKeyWithValue(address, owner))
			owners[owner]++
		}
		Expect(owners).To(HaveLen(len(stage.Nodes)), "addresses by node")
	})
})
