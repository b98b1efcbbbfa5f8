package announcement

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/controllers/advertisement"
	"github.com/heraldlb/herald/controllers/loadbalancer"
)

// silence is how long a node has had no session before it says so: after a restart the
// routers still have what it told them (RFC 4724), and sessions take a while.
const silence = 10 * time.Second

// spokesman is a node's view of an address that BGP alone announces. Every node that
// may serve the address advertises it, and one of them says so: the first in line of
// those that can tell a router, and then that one while it can.
type spokesman struct {
	self string
	// turn is the node's place in the line.
	turn int
	// live are the nodes that may serve the address and are likely to report.
	live []string
}

// spokenForByBGP says whether spokesmen report on the address. One that no node may
// serve, or that is none to be announced, is for witnesses.
func (rec record) spokenForByBGP() bool { return rec.routed && rec.invalid == nil && !rec.nobody }

func newSpokesman(self string, addr netip.Addr, rec record, nodes *nodes) spokesman {
	may := nodes.standing
	if rec.local {
		may = rec.hosts
	}
	s := spokesman{self: self, turn: newWitness(self, addr, rec, nodes, announcer.View{}).turn}
	for _, name := range may {
		if slices.Contains(nodes.ready, name) {
			s.live = append(s.live, name)
		}
	}
	if !rec.eligible {
		s.turn = -1
	}
	return s
}

// judge returns what there is to report to svc, and how long to wait yet. It is false
// if another node speaks, or this one has no say. changed is when what is known of the
// address did.
func (s spokesman) judge(svc *corev1.Service, addr netip.Addr, outcome advertisement.Outcome, changed, now time.Time) (v verdict, wait time.Duration, ok bool) {
	if s.turn < 0 {
		return verdict{}, 0, false
	}
	said, spoken := loadbalancer.AdvertisementOf(svc, addr)
	mine := spoken && said.Node == s.self
	v = s.verdict(addr, outcome)
	able := v.condition.Status == metav1.ConditionTrue
	switch alive := slices.Contains(s.live, said.Node); {
	case !spoken, mine:
	case alive && (len(said.Peers) > 0 || !able):
		return verdict{}, 0, false
	case !alive && s.turn > 0:
		return verdict{}, 0, false // it is for the first in line to speak in its place
	}
	steady := grace
	if !able {
		steady = silence
	}
	wait = steady - now.Sub(outcome.Since)
	switch {
	case mine:
	case able:
		wait = max(wait, stagger(s.turn)-now.Sub(latest(outcome.Since, changed, spokenAt(svc, addr))))
	default:
		// Where a few nodes have routers, the first in line are not those: all others come
		// before one that has nothing good to say, however long it has known that of itself.
		wait = max(wait, stagger(len(s.live)+s.turn)-now.Sub(latest(changed, spokenAt(svc, addr))))
	}
	return v, max(0, wait), true
}

// stagger is how long one waits for those before it in the line: for a few as long as the
// API may need to show that they spoke, for more than these less, since who speaks at the
// same time is refused, and a long line would have an address unspoken of for minutes.
func stagger(turn int) time.Duration {
	const few, less = 3, 200 * time.Millisecond
	return time.Duration(min(turn, few))*grace + time.Duration(max(turn-few, 0))*less
}

// spokenAt is when the condition of addr's family last became True or False.
func spokenAt(svc *corev1.Service, addr netip.Addr) time.Time {
	condition := meta.FindStatusCondition(svc.Status.Conditions, loadbalancer.AnnouncedCondition(addr))
	if condition == nil {
		return time.Time{}
	}
	return condition.LastTransitionTime.Time
}

func latest(times ...time.Time) time.Time { return slices.MaxFunc(times, time.Time.Compare) }

// verdict is what the node has to say itself.
func (s spokesman) verdict(addr netip.Addr, o advertisement.Outcome) verdict {
	told := loadbalancer.Advertisement{Node: s.self, Peers: o.Told}
	v := verdict{event: eventNotAdvertised, eventType: corev1.EventTypeWarning, condition: metav1.Condition{
		Type: loadbalancer.AnnouncedCondition(addr), Status: metav1.ConditionFalse,
	}}
	switch {
	case len(o.Told) > 0:
		more := ""
		if len(o.Silent) > 0 {
			more = ", and has no session with " + strings.Join(o.Silent, ", ")
		}
		v.condition.Status, v.condition.Reason = metav1.ConditionTrue, ReasonAdvertised
		v.condition.Message = told.Message(addr, more)
		v.event, v.eventType = eventAdvertised, corev1.EventTypeNormal
	case len(o.Withheld) > 0:
		v.condition.Reason = ReasonWithheld
		v.condition.Message = told.Refusal(fmt.Sprintf("cannot tell %s of %s: %s", strings.Join(o.Withheld, ", "), addr, o.Why))
	case len(o.Silent) > 0:
		v.condition.Reason = ReasonNoSession
		v.condition.Message = told.Refusal(fmt.Sprintf("has no session with %s to tell of %s", strings.Join(o.Silent, ", "), addr))
	default:
		v.condition.Reason = ReasonNotSelected
		v.condition.Message = told.Refusal(fmt.Sprintf("has nobody to tell of %s: bgp.yaml names no router that is to hear of it from this node", addr))
	}
	return v
}
