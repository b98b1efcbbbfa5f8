package suite

import (
	"fmt"
	"net/netip"

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
		for i := range 100 {
			s.Expose(ctx, fmt.Sprintf("v4-%d", i), scene.For("web"), scene.Family(corev1.IPv4Protocol))
			s.Expose(ctx, fmt.Sprintf("v6-%d", i), scene.For("web"), scene.Family(corev1.IPv6Protocol))
		}

		Eventually(held).WithContext(ctx).WithArguments(s).Should(HaveLen(200))
		byName, err := held(ctx, s)
		Expect(err).NotTo(HaveOccurred())
		distinct := map[netip.Addr]bool{}
		for _, address := range byName {
			distinct[address] = true
		}
		Expect(distinct).To(HaveLen(200))

		for _, address := range byName {
			s.Reach(ctx, stage.Client, address, scene.HTTP)
		}
		list, err := s.API.CoreV1().Services(s.Namespace).List(ctx, metav1.ListOptions{})
		Expect(err).NotTo(HaveOccurred())
		owners := map[string]int{}
		for i := range list.Items {
			owner, err := scene.Announcer(&list.Items[i], byName[list.Items[i].Name])
			Expect(err).NotTo(HaveOccurred())
			Expect(stage.Neighbour(ctx, byName[list.Items[i].Name])).To(Equal(owner))
			owners[owner]++
		}
		Expect(owners).To(HaveLen(len(stage.Nodes)), "addresses by node")
	})
})
