package announcement

import (
	"fmt"
	"net/netip"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/controllers/loadbalancer"
)

// The reasons of the conditions AnnouncedIPv4 and AnnouncedIPv6.
const (
	// ReasonAnnounced: the node named answers for the address (True).
	ReasonAnnounced = "Announced"
	// ReasonContested: so it does, and a stranger does too (True).
	ReasonContested = "Contested"
	// ReasonConflict: a stranger answers for the address, so no node does.
	ReasonConflict = "Conflict"
	// ReasonOffLink: the owner has no interface on the address's link, or not
	// the one that was named.
	ReasonOffLink = "OffLink"
	// ReasonInvalid: the address, a node's own for one, or the interface named
	// cannot be announced.
	ReasonInvalid = "Invalid"
	// ReasonNoEligibleNode: no node may announce the address.
	ReasonNoEligibleNode = "NoEligibleNode"
	// ReasonAnnouncerAway: the owner's agent has lost its announcer, so whether
	// the address is answered for is not known (Unknown).
	ReasonAnnouncerAway = "AnnouncerAway"
)

// verdict is what there is to report of an address.
type verdict struct {
	condition metav1.Condition
	// event is the reason of the event that goes with a change.
	event, eventType string
}

// judge returns what node self has to report of addr. It is false if another
// node reports, or if it is too early to say.
func judge(self string, addr netip.Addr, rec record) (verdict, bool) {
	if !rec.held || rec.speaker != self {
		return verdict{}, false
	}
	switch {
	case rec.invalid != nil:
		return refusal(addr, ReasonInvalid, "AddressNotAnnounced", rec.invalid.Error()), true
	case rec.owner == "":
		return refusal(addr, ReasonNoEligibleNode, "AddressNotAnnounced", noNode(addr, rec.local)), true
	case rec.away:
		v := refusal(addr, ReasonAnnouncerAway, "AnnouncerAway",
			fmt.Sprintf("the announcer of %s is away: whether it answers for %s is not known", self, addr))
		v.condition.Status = metav1.ConditionUnknown
		return v, true
	}
	status := rec.status
	switch status.State {
	case announcer.Announced:
		return announced(self, status), true
	case announcer.OffLink:
		return refusal(addr, ReasonOffLink, "AddressOffLink",
			fmt.Sprintf("%s has no interface on the link of %s that it may use", self, addr)), true
	case announcer.Conflict:
		return refusal(addr, ReasonConflict, "AddressConflict",
			fmt.Sprintf("%s answers for %s, so %s does not", stranger(status), addr, self)), true
	default:
		return verdict{}, false
	}
}

func announced(self string, status announcer.Status) verdict {
	v := verdict{
		condition: metav1.Condition{
			Type:    conditionType(status.Address),
			Status:  metav1.ConditionTrue,
			Reason:  ReasonAnnounced,
			Message: self + answersFor(status.Address) + strings.Join(status.Interfaces, ", "),
		},
		event:     "AddressAnnounced",
		eventType: corev1.EventTypeNormal,
	}
	if len(status.Stranger) > 0 {
		v.condition.Reason = ReasonContested
		v.condition.Message += fmt.Sprintf("; so does %s", stranger(status))
		v.event, v.eventType = "AddressConflict", corev1.EventTypeWarning
	}
	return v
}

// answersFor stands in the message of a condition that is True. A condition is
// of a family, and its message alone says of which address: answered looks for it.
func answersFor(addr netip.Addr) string { return fmt.Sprintf(" answers for %s on ", addr) }

// answered says whether the last that was reported to svc of addr is that a node
// answers for it.
func answered(svc *corev1.Service, addr netip.Addr) bool {
	last := meta.FindStatusCondition(svc.Status.Conditions, conditionType(addr))
	return last != nil && last.Status == metav1.ConditionTrue && strings.Contains(last.Message, answersFor(addr))
}

func refusal(addr netip.Addr, reason, event, message string) verdict {
	return verdict{
		condition: metav1.Condition{
			Type:    conditionType(addr),
			Status:  metav1.ConditionFalse,
			Reason:  reason,
			Message: message,
		},
		event:     event,
		eventType: corev1.EventTypeWarning,
	}
}

func noNode(addr netip.Addr, local bool) string {
	if local {
		return fmt.Sprintf("no node that may announce %s has a usable endpoint, and externalTrafficPolicy is Local", addr)
	}
	return fmt.Sprintf("no node may announce %s: each that is ready is excluded from external load balancers or being deleted", addr)
}

func stranger(status announcer.Status) string {
	if len(status.Stranger) == 0 {
		return "a stranger"
	}
	return "the stranger " + status.Stranger.String()
}

func conditionType(addr netip.Addr) string {
	if loadbalancer.Family(addr) == corev1.IPv4Protocol {
		return loadbalancer.ConditionAnnouncedIPv4
	}
	return loadbalancer.ConditionAnnouncedIPv6
}
