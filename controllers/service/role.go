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
	// being deleted, is of another type now, or asks to be left alone.
	roleLeave
)

// roleIn tells Herald's role in svc. That Herald wrote to it is known by its
// condition, which outlives a restart, or because svc is in the book.
func roleIn(svc *corev1.Service, class loadbalancer.Class, inBook bool) role {
	switch {
	case class.Matches(svc) && svc.DeletionTimestamp.IsZero():
		return roleServe
	case inBook || class.Matches(svc):
		return roleLeave
	case condition(svc) != nil && !class.Foreign(svc):
		return roleLeave
	default:
		return roleNone
	}
}
