package loadbalancer

import (
	"net/netip"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Owner is the node that answers for an address.
type Owner struct {
	Node string
	// Interfaces are those that it answers on.
	Interfaces []string
	// Since is when it began to, to the second.
	Since time.Time
}

// AnnouncedCondition returns the type of the condition that speaks of addr.
func AnnouncedCondition(addr netip.Addr) string {
	if Family(addr) == corev1.IPv4Protocol {
		return ConditionAnnouncedIPv4
	}
	return ConditionAnnouncedIPv6
}

// The words of a message around the address, and before a stranger's. No name of
// a node or an interface has a space in it.
const (
	answersFor = " answers for "
	on         = " on "
	between    = ", "
	soDoes     = "; so does "
)

// Message is the message of the condition that o answers for addr. stranger is
// another that does so too, "" if none.
func (o Owner) Message(addr netip.Addr, stranger string) string {
	message := o.Node + answersFor + addr.String() + on + strings.Join(o.Interfaces, between)
	if stranger != "" {
		message += soDoes + stranger
	}
	return message
}

// OwnerOf reads from the condition of svc who answers for addr. It is false if
// nobody is known to: the condition is not True, or speaks of another address.
//
// Since is the condition's lastTransitionTime, which an agent sets to the change
// of owner also where the status stays True: the API conventions have it say
// when the status changed, and it is the only field that can say since when.
func OwnerOf(svc *corev1.Service, addr netip.Addr) (Owner, bool) {
	condition := meta.FindStatusCondition(svc.Status.Conditions, AnnouncedCondition(addr))
	if condition == nil || condition.Status != metav1.ConditionTrue {
		return Owner{}, false
	}
	node, rest, found := strings.Cut(condition.Message, answersFor)
	if !found || node == "" || strings.Contains(node, " ") {
		return Owner{}, false
	}
	rest, found = strings.CutPrefix(rest, addr.String()+on)
	if !found {
		return Owner{}, false
	}
	owner := Owner{Node: node, Since: condition.LastTransitionTime.Time}
	if rest, _, _ = strings.Cut(rest, soDoes); rest != "" {
		owner.Interfaces = strings.Split(rest, between)
	}
	return owner, true
}
