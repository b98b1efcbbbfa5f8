package scene

import (
	"context"
	"net/netip"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
)

// Occupy gives the client an address, as a stranger to the cluster, until what it
// returns is called, or the case ends.
func (st *Stage) Occupy(ctx context.Context, address netip.Addr) (leave func(context.Context)) {
	GinkgoHelper()
	return st.addAddress(ctx, st.Client, netip.PrefixFrom(address, address.BitLen()))
}

// TakeOver is Occupy of an address that is in use: the client tells everybody that it is its
// own, for three seconds.
func (st *Stage) TakeOver(ctx context.Context, address netip.Addr) (leave func(context.Context)) {
	GinkgoHelper()
	leave = st.Occupy(ctx, address)
	_, err := st.run(ctx, st.Client, "arping", "-A", "-c", "4", "-I", st.Interface, address.String())
	Expect(err).NotTo(HaveOccurred())
	return leave
}

// addAddress gives a host an address on the segment, until what it returns is called, or
// the case ends.
func (st *Stage) addAddress(ctx context.Context, host string, address netip.Prefix) (leave func(context.Context)) {
	GinkgoHelper()
	set := func(ctx context.Context, how string, more ...string) {
		GinkgoHelper()
		_, err := st.run(ctx, host, append([]string{"ip", "address", how, address.String(), "dev", st.Interface}, more...)...)
		Expect(err).NotTo(HaveOccurred())
	}
	there := true
	leave = func(ctx context.Context) {
		GinkgoHelper()
		if there {
			set(ctx, "delete")
			there = false
		}
	}
	DeferCleanup(leave)
	if address.Addr().Is6() {
		set(ctx, "add", "nodad")
	} else {
		set(ctx, "add")
	}
	return leave
}

// agentRole is the ClusterRole of agents, and their account.
const agentRole = "herald-agent"

// Mute keeps agents from telling anything in the status of Services, until the case
// ends.
func (st *Stage) Mute(ctx context.Context) {
	GinkgoHelper()
	roles := st.API.RbacV1().ClusterRoles()
	role, err := roles.Get(ctx, agentRole, metav1.GetOptions{})
	Expect(err).NotTo(HaveOccurred())
	rules := role.Rules
	give := func(ctx context.Context, rules []rbacv1.PolicyRule) {
		GinkgoHelper()
		Expect(retry.RetryOnConflict(retry.DefaultRetry, func() error {
			role, err := roles.Get(ctx, agentRole, metav1.GetOptions{})
			if err != nil {
				return err
			}
			role.Rules = rules
			_, err = roles.Update(ctx, role, metav1.UpdateOptions{})
			return err
		})).To(Succeed())
	}
	DeferCleanup(give, rules)
	give(ctx, slices.DeleteFunc(slices.Clone(rules), func(rule rbacv1.PolicyRule) bool {
		return slices.Contains(rule.Resources, "services/status")
	}))
	Eventually(st.mayTell).WithContext(ctx).Should(BeFalse())
}

// mayTell asks the API server whether agents may patch the status of Services.
func (st *Stage) mayTell(ctx context.Context) (bool, error) {
	review, err := st.API.AuthorizationV1().SubjectAccessReviews().Create(ctx, &authorizationv1.SubjectAccessReview{
		Spec: authorizationv1.SubjectAccessReviewSpec{
			User: "system:serviceaccount:" + System + ":" + agentRole,
			ResourceAttributes: &authorizationv1.ResourceAttributes{
				Verb: "patch", Resource: "services", Subresource: "status", Namespace: metav1.NamespaceDefault, Name: "any",
			},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		return false, err
	}
	return review.Status.Allowed, nil
}
