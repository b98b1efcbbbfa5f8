package service_test

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/heraldlb/herald/controllers/loadbalancer"
)

// expectation is something that a Service is to become.
type expectation struct {
	name  string
	holds func(*corev1.Service) bool
}

// hasAddresses expects exactly these addresses; none with none.
func hasAddresses(want ...string) expectation {
	return expectation{fmt.Sprintf("addresses %q", want), func(svc *corev1.Service) bool {
		return strings.Join(addresses(svc), ",") == strings.Join(want, ",")
	}}
}

func hasSomeAddress() expectation {
	return expectation{"an address", func(svc *corev1.Service) bool { return len(addresses(svc)) > 0 }}
}

// because expects a reason in Herald's condition, and a text in its message.
func because(reason, text string) expectation {
	return expectation{fmt.Sprintf("reason %s with %q", reason, text), func(svc *corev1.Service) bool {
		c := meta.FindStatusCondition(svc.Status.Conditions, loadbalancer.ConditionAddressAllocated)
		return c != nil && c.Reason == reason && strings.Contains(c.Message, text)
	}}
}

func hasFinalizer(want bool) expectation {
	return expectation{fmt.Sprintf("finalizer %t", want), func(svc *corev1.Service) bool {
		return slices.Contains(svc.Finalizers, cleanup) == want
	}}
}

func hasNoCondition() expectation {
	return expectation{"no condition of Herald", func(svc *corev1.Service) bool {
		return !slices.ContainsFunc(svc.Status.Conditions, func(c metav1.Condition) bool {
			return strings.HasPrefix(c.Type, "heraldlb.io/")
		})
	}}
}

func addresses(svc *corev1.Service) []string {
	var all []string
	for _, ingress := range svc.Status.LoadBalancer.Ingress {
		all = append(all, ingress.IP)
	}
	return all
}
