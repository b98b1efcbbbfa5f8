package status

import (
	"cmp"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/heraldlb/herald/controllers/loadbalancer"
)

// services tells of each Service what its status says.
func services(all []corev1.Service) []Service {
	told := make([]Service, 0, len(all))
	for i := range all {
		told = append(told, service(&all[i]))
	}
	slices.SortFunc(told, func(a, b Service) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return told
}

func service(svc *corev1.Service) Service {
	told := Service{Namespace: svc.Namespace, Name: svc.Name, Addresses: []Address{}}
	allocated := meta.FindStatusCondition(svc.Status.Conditions, loadbalancer.ConditionAddressAllocated)
	if allocated != nil && allocated.Status != metav1.ConditionTrue {
		told.Waiting = allocated.Message
	}
	for _, point := range loadbalancer.ExternalPoints(svc) {
		told.External = append(told.External, point.String())
	}
	for _, addr := range loadbalancer.Addresses(svc) {
		a := Address{Address: addr}
		if owner, known := loadbalancer.OwnerOf(svc, addr); known {
			a.Owner, a.Interfaces, a.Since = owner.Node, owner.Interfaces, owner.Since
		}
		announced := meta.FindStatusCondition(svc.Status.Conditions, loadbalancer.AnnouncedCondition(addr))
		switch {
		case byBGP(svc, addr):
			a.Advertised = announced.Message
		case announced == nil:
			a.Problem = "no node has said yet that it answers"
		case announced.Status != metav1.ConditionTrue, a.Owner == "":
			a.Problem = announced.Message
		}
		told.Addresses = append(told.Addresses, a)
	}
	return told
}

// byBGP says whether a node has told routers of addr, which BGP alone announces.
func byBGP(svc *corev1.Service, addr netip.Addr) bool {
	told, ok := loadbalancer.AdvertisementOf(svc, addr)
	return ok && len(told.Peers) > 0
}
