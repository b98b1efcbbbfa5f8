package announcement

import (
	"fmt"
	"net/netip"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/controllers/loadbalancer"
)

// The reasons of the conditions AnnouncedIPv4 and AnnouncedIPv6.
const (
	// ReasonAnnounced: the node named answers for the address (True).
	ReasonAnnounced = "Announced"
	// ReasonContested: the node named answers for the address, and a stranger does too (True).
	ReasonContested = "Contested"
	// ReasonConflict: a stranger answers for the address, so no node does.
	ReasonConflict = "Conflict"
	// ReasonOffLink: no node that may announce the address has an interface on
	// its link, or the one that was named.
	ReasonOffLink = "OffLink"
	// ReasonInvalid: the address, a node's own for one, or the interface named
	// cannot be announced.
	ReasonInvalid = "Invalid"
	// ReasonNoEligibleNode: no node may announce the address.
	ReasonNoEligibleNode = "NoEligibleNode"
	// ReasonNoOwner: nodes may announce the address, and none does.
	ReasonNoOwner = "NoOwner"
	// ReasonAdvertised: the node named has told routers of the address, which BGP alone
	// announces, and so does every node that may serve it (True).
	ReasonAdvertised = "Advertised"
	// ReasonNoSession: the node named has no session with a router to tell.
	ReasonNoSession = "NoSession"
	// ReasonWithheld: the node named has a session, and cannot tell of the address by it.
	ReasonWithheld = "Withheld"
	// ReasonNotSelected: bgp.yaml has the node named tell nobody of the address.
	ReasonNotSelected = "NotSelected"
	// ReasonAnnouncerAway: the owner's agent has lost its announcer, so whether
	// the address is answered for is not known (Unknown).
	ReasonAnnouncerAway = "AnnouncerAway"
)

// The reasons of the events that go with a change of a condition.
const (
	// eventAnnounced: a node answers for the address, or on other interfaces (Normal).
	eventAnnounced = "AddressAnnounced"
	// eventOwnerChanged: a node answers for the address, and another did before it (Normal).
	eventOwnerChanged = "OwnerChanged"
	// eventConflict: a stranger answers for the address (Warning).
	eventConflict = "AddressConflict"
	// eventNotAnnounced: no node answers for the address (Warning).
	eventNotAnnounced = "AddressNotAnnounced"
	// eventOffLink: no node can answer for the address, for want of an interface (Warning).
	eventOffLink = "AddressOffLink"
	// eventAdvertised: nodes tell routers of the address (Normal).
	eventAdvertised = "AddressAdvertised"
	// eventNotAdvertised: the node that spoke for the address can tell no router of it (Warning).
	eventNotAdvertised = "AddressNotAdvertised"
	// eventAnnouncerAway: whether a node answers for the address is not known (Warning).
	eventAnnouncerAway = "AnnouncerAway"
)

// verdict is what there is to report of an address.
type verdict struct {
	condition metav1.Condition
	// since is when a node began to answer, of a condition that is True.
	since time.Time
	// event is the reason of the event that goes with a change.
	event, eventType string
}

// judge returns what self has to report of an address that it owns. It is false
// if it does not own the address, or if it is too early to say.
func judge(self string, rec record) (verdict, bool) {
	if !rec.held || rec.invalid != nil || rec.away || rec.routed {
		return verdict{}, false
	}
	switch rec.status.State {
	case announcer.Announced:
		return announced(self, rec.status), true
	case announcer.Conflict:
		addr := rec.status.Address
		return refusal(addr, ReasonConflict, eventConflict,
			fmt.Sprintf("%s answers for %s, so %s does not", stranger(rec.status), addr, self)), true
	default:
		return verdict{}, false
	}
}

func announced(self string, status announcer.Status) verdict {
	owner := loadbalancer.Owner{Node: self, Interfaces: status.Interfaces}
	v := verdict{
		condition: metav1.Condition{
			Type:   loadbalancer.AnnouncedCondition(status.Address),
			Status: metav1.ConditionTrue,
			Reason: ReasonAnnounced,
		},
		since:     status.Since,
		event:     eventAnnounced,
		eventType: corev1.EventTypeNormal,
	}
	other := ""
	if len(status.Stranger) > 0 {
		other = stranger(status)
		v.condition.Reason = ReasonContested
		v.event, v.eventType = eventConflict, corev1.EventTypeWarning
	}
	v.condition.Message = owner.Message(status.Address, other)
	return v
}

// unowned is the verdict on an address that no node owns, as far as the record
// of one tells. Every node finds the same words, so that no two contradict each
// other where they see the same.
func unowned(addr netip.Addr, rec record) verdict {
	switch {
	case rec.invalid != nil:
		return refusal(addr, ReasonInvalid, eventNotAnnounced, rec.invalid.Error())
	case rec.nobody && rec.local:
		return refusal(addr, ReasonNoEligibleNode, eventNotAnnounced,
			fmt.Sprintf("no node that may announce %s has a usable endpoint, and externalTrafficPolicy is Local", addr))
	case rec.nobody:
		return refusal(addr, ReasonNoEligibleNode, eventNotAnnounced,
			fmt.Sprintf("no node may announce %s: each is excluded from external load balancers or being deleted", addr))
	case rec.status.State == announcer.OffLink:
		return refusal(addr, ReasonOffLink, eventOffLink,
			fmt.Sprintf("no node that may announce %s is known to have an interface on its link that it may use", addr))
	default:
		return refusal(addr, ReasonNoOwner, eventNotAnnounced,
			fmt.Sprintf("no node is heard to answer for %s, though some may", addr))
	}
}

func away(self string, addr netip.Addr) verdict {
	v := refusal(addr, ReasonAnnouncerAway, eventAnnouncerAway,
		fmt.Sprintf("the announcer of %s is away: whether it answers for %s is not known", self, addr))
	v.condition.Status = metav1.ConditionUnknown
	return v
}

func refusal(addr netip.Addr, reason, event, message string) verdict {
	return verdict{
		condition: metav1.Condition{
			Type:    loadbalancer.AnnouncedCondition(addr),
			Status:  metav1.ConditionFalse,
			Reason:  reason,
			Message: message,
		},
		event:     event,
		eventType: corev1.EventTypeWarning,
	}
}

func stranger(status announcer.Status) string {
	if len(status.Stranger) == 0 {
		return "a stranger"
	}
	return "the stranger " + status.Stranger.String()
}
