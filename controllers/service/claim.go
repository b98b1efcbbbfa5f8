package service

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cloud-provider/service/helpers"

	"github.com/heraldlb/herald/controllers/loadbalancer"
	"github.com/heraldlb/herald/ipam"
)

// claim is what a Service asks for, and what its status says it has.
type claim struct {
	key     types.NamespacedName
	uid     types.UID
	created time.Time
	// version is the resourceVersion that all this was read from.
	version string
	asked   loadbalancer.Request
	// invalid is why asked could not be read, a *loadbalancer.RequestError.
	invalid error
	request ipam.Request
	held    []netip.Addr
}

func newClaim(svc *corev1.Service) claim {
	asked, err := loadbalancer.Requested(svc)
	families, required := families(svc)
	return claim{
		key:     types.NamespacedName{Namespace: svc.Namespace, Name: svc.Name},
		uid:     svc.UID,
		created: svc.CreationTimestamp.Time,
		version: svc.ResourceVersion,
		asked:   asked,
		invalid: err,
		request: ipam.Request{
			Owner:     ipam.Owner{Namespace: svc.Namespace, Name: svc.Name},
			Families:  families,
			Required:  required,
			Addresses: asked.Addresses,
			Ports:     ports(svc),
			Sharing:   ipam.Sharing{Key: loadbalancer.SharingKey(svc), Backend: backend(svc)},
		},
		held: loadbalancer.Addresses(svc),
	}
}

// families returns the wanted families in the Service's order, and how many of
// them it cannot do without: PreferDualStack is content with one.
func families(svc *corev1.Service) (wanted []ipam.Family, required int) {
	for _, family := range svc.Spec.IPFamilies {
		if family == corev1.IPv6Protocol {
			wanted = append(wanted, ipam.IPv6)
		} else {
			wanted = append(wanted, ipam.IPv4)
		}
	}
	policy := svc.Spec.IPFamilyPolicy
	if policy != nil && *policy == corev1.IPFamilyPolicyPreferDualStack {
		return wanted, min(1, len(wanted))
	}
	return wanted, len(wanted)
}

func ports(svc *corev1.Service) []ipam.Port {
	all := make([]ipam.Port, 0, len(svc.Spec.Ports))
	for _, port := range svc.Spec.Ports {
		all = append(all, ipam.Port{Protocol: string(port.Protocol), Number: uint16(port.Port)})
	}
	return all
}

// backend names the endpoints behind a Service where it matters: with
// externalTrafficPolicy Local an address is announced only where they are, so
// that those who share it must have the same.
func backend(svc *corev1.Service) string {
	if !helpers.RequestsOnlyLocalTraffic(svc) {
		return ""
	}
	var selector strings.Builder
	selector.WriteString(svc.Namespace)
	for _, key := range slices.Sorted(maps.Keys(svc.Spec.Selector)) {
		selector.WriteString("," + key + "=" + svc.Spec.Selector[key])
	}
	if len(svc.Spec.Selector) == 0 {
		// Its endpoints are made by hand, and are nobody else's.
		selector.WriteString("/" + svc.Name)
	}
	return selector.String()
}
