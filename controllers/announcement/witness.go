package announcement

import (
	"net/netip"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/controllers/loadbalancer"
	"github.com/heraldlb/herald/election"
)

// grace is how long an address has had no owner before that is reported:
// ownership may be in flight, and who takes it reports soon enough.
const grace = 3 * time.Second

// succession is how long a node is named that let go of an address to another, before it
// says so itself: that one will have been told to wait, having said before what others
// contradicted.
const succession = 30 * time.Second

// witness is a node's view of an address that it does not own. Of such addresses
// the nodes report in turn: each waits for those before it, and is silent if one
// of them spoke.
type witness struct {
	self string
	// turn is the node's place in the line.
	turn int
	// ready are the nodes that are likely to report what they own themselves.
	ready []string
	// deaf says that the node hears nobody on the address's link.
	deaf bool
}

// newWitness returns that of self on addr. The line is of the nodes that are
// ready, those that may own the address first: they know whether they could.
func newWitness(self string, addr netip.Addr, rec record, nodes *nodes, view announcer.View) witness {
	may := nodes.standing
	if rec.local {
		may = rec.hosts
	}
	var able, others []string
	for _, name := range election.Heaviest(addr, nodes.ready, len(nodes.ready)) {
		if slices.Contains(may, name) {
			able = append(able, name)
		} else {
			others = append(others, name)
		}
	}
	line := append(able, others...)
	turn := slices.Index(line, self)
	if turn < 0 {
		turn = len(line)
	}
	deaf := !rec.routed && (rec.status.State == announcer.OffLink || view.Isolated || !hears(view))
	return witness{self: self, turn: turn, ready: nodes.ready, deaf: deaf}
}

// hears says whether any other node is heard. That none is, where a port of heartbeats is
// taken for one, says nothing of the owners.
func hears(view announcer.View) bool {
	return slices.ContainsFunc(view.Members, func(m announcer.Member) bool { return m.State == announcer.Alive })
}

// judge returns what there is to report to svc, and how long the record must have
// stood for that. It is false if that is for another node, or too early to say.
func (w witness) judge(svc *corev1.Service, addr netip.Addr, rec record) (v verdict, after time.Duration, ok bool) {
	owner, owned := loadbalancer.OwnerOf(svc, addr)
	mine := owned && owner.Node == w.self
	after = time.Duration(w.turn) * grace
	if rec.away && rec.invalid == nil {
		// Who takes over says so. Of an address that none spoke of, one node does.
		first := !spoken(svc, addr) && w.turn == 0
		return away(w.self, addr), 0, mine || first
	}
	switch {
	case rec.invalid != nil:
	case mine && rec.succeeded(w.self):
		successor := announcer.Status{Address: addr, Interfaces: owner.Interfaces, Since: rec.status.Since}
		return announced(rec.status.Owner, successor), succession, true
	case !rec.vacant(w.self):
		return verdict{}, 0, false
	case mine:
		after = grace // known at first hand
	default:
		after += grace
	}
	switch {
	case mine, w.turn == 0 && !owned:
	case owned:
		// It believes a node that can speak for itself.
		if w.deaf && slices.Contains(w.ready, owner.Node) {
			return verdict{}, 0, false
		}
	case spoken(svc, addr):
		// It was said, if perhaps in other words: those are for the first in line.
		return verdict{}, 0, false
	}
	return unowned(addr, rec), after, true
}

// vacant says whether nobody owns the address, as far as node self heard, or it
// owns it itself and has lost the link meanwhile.
func (rec record) vacant(self string) bool {
	if rec.routed {
		return rec.nobody
	}
	switch rec.status.State {
	case announcer.Standby:
		return rec.status.Owner == ""
	case announcer.OffLink:
		return rec.status.Owner == "" || rec.status.Owner == self
	default:
		return false
	}
}

// succeeded says whether another node owns the address now, as far as node self heard.
func (rec record) succeeded(self string) bool {
	return !rec.routed && rec.status.State == announcer.Standby && rec.status.Owner != "" && rec.status.Owner != self
}

// spoken says whether the condition of svc speaks of addr.
func spoken(svc *corev1.Service, addr netip.Addr) bool {
	condition := meta.FindStatusCondition(svc.Status.Conditions, loadbalancer.AnnouncedCondition(addr))
	if condition == nil {
		return false
	}
	return loadbalancer.Mentions(condition.Message, addr)
}
