package service

import (
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cloud-provider/service/helpers"

	"github.com/heraldlb/herald/controllers/loadbalancer"
)

// ensured returns svc as it should be: the addresses and the condition in its
// status, and with an address the finalizer.
func ensured(svc *corev1.Service, addresses []netip.Addr, v verdict) *corev1.Service {
	desired := svc.DeepCopy()
	desired.Status.LoadBalancer = loadBalancer(svc, addresses)
	meta.SetStatusCondition(&desired.Status.Conditions, metav1.Condition{
		Type:               loadbalancer.ConditionAddressAllocated,
		Status:             v.status,
		Reason:             v.reason,
		Message:            v.message,
		ObservedGeneration: svc.Generation,
	})
	if len(addresses) > 0 && !helpers.HasLBFinalizer(svc) {
		desired.Finalizers = append(desired.Finalizers, helpers.LoadBalancerCleanupFinalizer)
	}
	return desired
}

// loadBalancer returns the status of a load balancer that passes packets on with
// the destination unchanged (ipMode VIP, KEP-1860).
func loadBalancer(svc *corev1.Service, addresses []netip.Addr) corev1.LoadBalancerStatus {
	var status corev1.LoadBalancerStatus
	for _, address := range addresses {
		mode := corev1.LoadBalancerIPModeVIP
		status.Ingress = append(status.Ingress, corev1.LoadBalancerIngress{
			IP:     address.String(),
			IPMode: &mode,
			Ports:  portStatuses(svc),
		})
	}
	return status
}

func portStatuses(svc *corev1.Service) []corev1.PortStatus {
	statuses := make([]corev1.PortStatus, 0, len(svc.Spec.Ports))
	for _, port := range svc.Spec.Ports {
		statuses = append(statuses, corev1.PortStatus{Port: port.Port, Protocol: port.Protocol})
	}
	return statuses
}

// withdrawn returns svc without what Herald wrote to it: the conditions, those of
// the nodes too, the finalizer, and the addresses for which ours is true.
func withdrawn(svc *corev1.Service, ours func(netip.Addr) bool) *corev1.Service {
	desired := svc.DeepCopy()
	ingress := &desired.Status.LoadBalancer.Ingress
	*ingress = slices.DeleteFunc(*ingress, func(i corev1.LoadBalancerIngress) bool {
		address, err := netip.ParseAddr(i.IP)
		return err == nil && ours(address)
	})
	for _, ours := range []string{
		loadbalancer.ConditionAddressAllocated,
		loadbalancer.ConditionAnnouncedIPv4,
		loadbalancer.ConditionAnnouncedIPv6,
	} {
		meta.RemoveStatusCondition(&desired.Status.Conditions, ours)
	}
	desired.Finalizers = slices.DeleteFunc(desired.Finalizers, func(finalizer string) bool {
		return finalizer == helpers.LoadBalancerCleanupFinalizer
	})
	return desired
}

// differs says whether desired has to be written.
func differs(svc, desired *corev1.Service) bool {
	return !helpers.LoadBalancerStatusEqual(&svc.Status.LoadBalancer, &desired.Status.LoadBalancer) ||
		!equality.Semantic.DeepEqual(svc.Status.Conditions, desired.Status.Conditions) ||
		!slices.Equal(svc.Finalizers, desired.Finalizers)
}

// condition returns Herald's condition on svc, nil if there is none.
func condition(svc *corev1.Service) *metav1.Condition {
	return meta.FindStatusCondition(svc.Status.Conditions, loadbalancer.ConditionAddressAllocated)
}

// reason returns the reason in Herald's condition on svc, "" if there is none.
func reason(svc *corev1.Service) string {
	if c := condition(svc); c != nil {
		return c.Reason
	}
	return ""
}
