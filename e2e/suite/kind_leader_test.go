package suite

import (
	"context"
	"errors"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/heraldlb/herald/e2e/suite/ground"
	"github.com/heraldlb/herald/e2e/suite/scene"
)

var _ = Describe("The controller's leader", Label(onKind), func() {
	It("is succeeded by the other replica when its Pod is deleted at once, or it is killed", func(ctx SpecContext) {
		s := stage.New(ctx)
		made := expose(ctx, s, "before", 5)
		Eventually(held).WithContext(ctx).WithArguments(s).Should(HaveLen(made))
		before, err := held(ctx, s)
		Expect(err).NotTo(HaveOccurred())

		By("deleting it")
		first, err := leader(ctx)
		Expect(err).NotTo(HaveOccurred())
		var now int64
		Expect(stage.API.CoreV1().Pods(scene.System).Delete(ctx, first, metav1.DeleteOptions{GracePeriodSeconds: &now})).To(Succeed())
		made += expose(ctx, s, "deleted", 5)
		Eventually(held).WithContext(ctx).WithTimeout(leaseExpiry).WithArguments(s).Should(HaveLen(made))
		// Its Pod is gone from the API before its process is.
		Eventually(leader).WithContext(ctx).WithTimeout(leaseExpiry).ShouldNot(Equal(first))
		second, err := leader(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(stage.Kind.AwaitRollout(ctx)).To(Succeed())

		By("killing it")
		pod, err := stage.API.CoreV1().Pods(scene.System).Get(ctx, second, metav1.GetOptions{})
		Expect(err).NotTo(HaveOccurred())
		process := stage.Process(ctx, ground.Controller, pod.Spec.NodeName)
		stage.Signal(ctx, process, "KILL")
		made += expose(ctx, s, "killed", 5)
		Eventually(held).WithContext(ctx).WithTimeout(leaseExpiry).WithArguments(s).Should(HaveLen(made))
		stage.AwaitSuccessors(ctx, process)

		after, err := held(ctx, s)
		Expect(err).NotTo(HaveOccurred())
		for name, address := range before {
			Expect(after).To(HaveKeyWithValue(name, address))
		}
	})
})

var errNoLeader = errors.New("nobody holds the controller's Lease")

// leader returns the name of its Pod.
func leader(ctx context.Context) (string, error) {
	lease, err := stage.API.CoordinationV1().Leases(scene.System).Get(ctx, "herald-controller", metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	if lease.Spec.HolderIdentity == nil || *lease.Spec.HolderIdentity == "" {
		return "", errNoLeader
	}
	pod, _, _ := strings.Cut(*lease.Spec.HolderIdentity, "_")
	return pod, nil
}
