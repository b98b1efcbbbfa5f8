package service

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/heraldlb/herald/controllers/loadbalancer"
)

// role is the part that Herald has in a Service.
type role int

const (
	// roleNone: another's Service, not to be touched.
	roleNone role = iota
	// roleServe: the Service is to have an address.
	roleServe
	// roleLeave: what Herald wrote to the Service is to be taken back, since it is
	// being deleted, is of another type or class now, or asks to be left alone.
	roleLeave
	// roleReserve: the Service is of a class that is not ours, and Herald wrote to
	// it: this one before its --class was changed, or another. It is not touched,
	// but nobody else gets its addresses.
	roleReserve
)

// roleIn tells Herald's role in svc. That Herald wrote to it is known by its
// condition, which outlives a restart, or because svc was served by this run.
// A class cannot be taken off again: whose class is not ours now may be another
// Herald's, unless it has none.
func roleIn(svc *corev1.Service, class loadbalancer.Class, served bool) role {
	switch {
	case class.Matches(svc) && svc.DeletionTimestamp.IsZero():
		return roleServe
	case served || class.Matches(svc):
		return roleLeave
	case condition(svc) == nil:
		return roleNone
	case hasOtherClass(svc, class) && svc.DeletionTimestamp.IsZero():
		return roleReserve
	default:
		return roleLeave
	}
}

// hasOtherClass says whether svc names an implementation that is not this one.
func hasOtherClass(svc *corev1.Service, class loadbalancer.Class) bool {
	return class.Foreign(svc) && svc.Spec.LoadBalancerClass != nil
}
