package announcement

import (
	"net/netip"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/heraldlb/herald/controllers/loadbalancer"
)

// word is that this node answers for an address, as it was heard: the condition
// of a Service said so.
type word struct {
	// since is when the node began to answer.
	since time.Time
	// doubted is when the condition was first seen to say something else.
	doubted time.Time
}

// insist tells whether another node contradicted what this one said of an
// address before, and if so how long to wait: who was succeeded is soon told by
// its announcer. What lasts are two nodes that do not hear each other, and answer
// both.
func (r *reporter) insist(svc *corev1.Service, addr netip.Addr, v verdict) (doubted bool, wait time.Duration) {
	owner, owned := loadbalancer.OwnerOf(svc, addr)
	if owned && owner.Node == r.self || says(svc, v.condition) {
		r.words[addr] = word{since: v.since}
		return false, 0
	}
	said, before := r.words[addr]
	if !before || !said.since.Equal(v.since) || !spoken(svc, addr) {
		return false, 0
	}
	if said.doubted.IsZero() {
		said.doubted = time.Now()
		r.words[addr] = said
	}
	return true, max(0, grace-time.Since(said.doubted))
}

// enter sets the condition of svc. It returns the other node that answered for
// addr before, "" if none did.
//
// The time of a condition that stays True moves with its owner: see
// loadbalancer.OwnerOf.
func (v verdict) enter(svc *corev1.Service, addr netip.Addr) (before string) {
	was, _ := loadbalancer.OwnerOf(svc, addr)
	condition := v.condition
	if since := v.since; !since.IsZero() && since.Before(time.Now()) {
		condition.LastTransitionTime = metav1.NewTime(since)
	} else {
		condition.LastTransitionTime = metav1.Now()
	}
	meta.SetStatusCondition(&svc.Status.Conditions, condition)
	is, owned := loadbalancer.OwnerOf(svc, addr)
	if !owned || is.Node == was.Node {
		return ""
	}
	meta.FindStatusCondition(svc.Status.Conditions, condition.Type).LastTransitionTime = condition.LastTransitionTime
	return was.Node
}
