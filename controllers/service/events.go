package service

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/cloud-provider/service/helpers"

	"github.com/heraldlb/herald/controllers/loadbalancer"
)

// The reasons of events on Services, as cloud providers spell them.
const (
	// eventEnsuring: an address is about to be written (Normal).
	eventEnsuring = "EnsuringLoadBalancer"
	// eventEnsured: the Service has its address (Normal).
	eventEnsured = "EnsuredLoadBalancer"
	// eventUpdated: the Service has another address than before, as it asked (Normal).
	eventUpdated = "UpdatedLoadBalancer"
	// eventDeleting: the address is about to be given back (Normal).
	eventDeleting = "DeletingLoadBalancer"
	// eventDeleted: the address was given back (Normal).
	eventDeleted = "DeletedLoadBalancer"
	// eventFailed: the Service does not get what it asks for, for the reason of its
	// condition (Warning).
	eventFailed = "AllocationFailed"
	// eventLeftPool: the Service keeps an address that no pool has any more (Warning).
	eventLeftPool = "AddressLeftPool"
	// eventUnsynced: the API server does not take the status; Herald tries on (Warning).
	eventUnsynced = "SyncLoadBalancerFailed"
	// eventContested: another controller writes the same status (Warning).
	eventContested = "StatusContested"
)

// The actions of events: what Herald was doing.
const (
	actionEnsure = "EnsureLoadBalancer"
	actionDelete = "DeleteLoadBalancer"
	actionLoad   = "LoadPools"
)

const (
	maxNote        = 1024 // events.k8s.io/v1 refuses a longer note
	truncationMark = " …"
)

// reporter tells a Service's owner what happens to it, by events. It is called
// around a write that changes something, never otherwise.
type reporter struct {
	recorder events.EventRecorder
}

// before tells what is about to be written.
func (r reporter) before(svc, desired *corev1.Service) {
	switch {
	case deletes(svc, desired):
		r.report(svc, corev1.EventTypeNormal, eventDeleting, actionDelete, "Giving the address back")
	case len(loadbalancer.Addresses(svc)) == 0 && len(loadbalancer.Addresses(desired)) > 0:
		r.report(svc, corev1.EventTypeNormal, eventEnsuring, actionEnsure, "Writing the address")
	}
}

// after tells what was written.
func (r reporter) after(svc, written *corev1.Service) {
	if deletes(svc, written) {
		r.report(written, corev1.EventTypeNormal, eventDeleted, actionDelete, "Gave the address back")
		return
	}
	was, is := loadbalancer.Addresses(svc), loadbalancer.Addresses(written)
	before, now := condition(svc), condition(written)
	switch {
	case now == nil || slices.Equal(was, is) && same(before, now):
	case now.Status == metav1.ConditionFalse:
		r.report(written, corev1.EventTypeWarning, eventFailed, actionEnsure, now.Reason+": "+now.Message)
	case now.Reason == loadbalancer.ReasonAddressLeftPool:
		r.report(written, corev1.EventTypeWarning, eventLeftPool, actionEnsure, now.Message)
	case len(was) > 0 && !slices.Equal(was, is):
		r.report(written, corev1.EventTypeNormal, eventUpdated, actionEnsure, fmt.Sprintf("%s instead of %s", list(is), list(was)))
	default:
		r.report(written, corev1.EventTypeNormal, eventEnsured, actionEnsure, now.Message)
	}
}

// failed tells that the status cannot be written.
func (r reporter) failed(svc *corev1.Service, err error) {
	r.report(svc, corev1.EventTypeWarning, eventUnsynced, actionEnsure, "Cannot write the status, and tries on: "+err.Error())
}

// contested tells that others, as far as they are known, write the status too.
func (r reporter) contested(svc *corev1.Service, others []string) {
	note := "another controller writes this status, and is to leave the Service alone; Herald writes it again once a minute"
	if len(others) > 0 {
		note += ": " + strings.Join(others, ", ")
	}
	r.report(svc, corev1.EventTypeWarning, eventContested, actionEnsure, note)
}

func (r reporter) report(svc *corev1.Service, kind, reason, action, note string) {
	r.recorder.Eventf(svc, nil, kind, reason, action, "%s", shortened(note))
}

// shortened returns a note that the API server takes.
func shortened(note string) string {
	if len(note) <= maxNote {
		return note
	}
	return strings.ToValidUTF8(note[:maxNote-len(truncationMark)], "") + truncationMark
}

// deletes says whether the finalizer goes: Herald has no part in svc any more.
func deletes(svc, desired *corev1.Service) bool {
	return helpers.HasLBFinalizer(svc) && !helpers.HasLBFinalizer(desired)
}

func same(a, b *metav1.Condition) bool {
	return a != nil && a.Status == b.Status && a.Reason == b.Reason && a.Message == b.Message
}
