package seat

import (
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/heraldlb/herald/controlplane/address"
	"github.com/heraldlb/herald/controlplane/handover"
)

// succeed has the node that hands the VIP over go on with its connections.
func (k *keeper) succeed(t *tenancy, from string) {
	if from == "" || k.options.Sources == nil || !t.lingers.IsZero() {
		return // Those that linger here are this node's own.
	}
	sources := k.options.Sources(from, t.place.Index)
	i := slices.IndexFunc(sources, func(a netip.Addr) bool { return a.Is4() == t.address.Is4() })
	if i < 0 {
		k.log.Debug("who hands the VIP over has no address of its family: connections under way are reset", "vip", t.address, "node", from)
		return
	}
	if err := handover.Pass(t.address, sources[i], t.place.Index); err != nil {
		k.log.Warn("connections under way are reset: they cannot be passed on to who hands the VIP over", "vip", t.address, "node", from, "error", err)
		return
	}
	t.passes = time.Now().Add(handover.Linger)
}

// linger has the kernel take packets for the VIP that come here nevertheless, and lead
// nobody here.
func (k *keeper) linger(t *tenancy, long time.Duration) bool {
	// The kernel ends it as well, later, should this process die.
	err := handover.Quiet(t.address, 2*long)
	if err == nil {
		err = address.Set(address.Loopback, t.address, 2*long)
	}
	if err != nil {
		k.log.Warn("connections under way are reset: the VIP cannot linger", "vip", t.address, "error", err)
		return false
	}
	address.Await(address.Loopback, t.address)
	t.lingers = time.Now().Add(long)
	return true
}

// unpass ends succeed.
func (k *keeper) unpass(t *tenancy) {
	if t.passes.IsZero() {
		return
	}
	t.passes = time.Time{}
	if err := handover.Unpass(t.address); err != nil {
		k.log.Warn("the nftables table of the hand-over stays, without effect", "error", err)
	}
}

// lapse ends what is over of a hand-over, and returns how long the rest lasts.
func (k *keeper) lapse(t *tenancy, now time.Time) (left time.Duration) {
	left = forever
	if !t.passes.IsZero() {
		if left = t.passes.Sub(now); left <= 0 {
			k.unpass(t)
			left = forever
		}
	}
	switch rest := t.lingers.Sub(now); {
	case t.lingers.IsZero():
	case rest > 0:
		left = min(left, rest)
	default:
		k.disperse(t)
	}
	return left
}

// disperse ends the lingering of a VIP, and its connections.
func (k *keeper) disperse(t *tenancy) {
	if t.lingers.IsZero() {
		return
	}
	k.close(t.address, handover.Both, time.Time{})
	k.stay(t)
	k.close(t.address, handover.Local, time.Time{})
}

// stay ends the lingering of a VIP, whose connections are left as they are.
func (k *keeper) stay(t *tenancy) {
	if t.lingers.IsZero() {
		return
	}
	t.lingers = time.Time{}
	if err := errors.Join(address.Remove(address.Loopback, t.address), handover.Unquiet(t.address)); err != nil {
		k.log.Warn("what lingers of the VIP ends later", "vip", t.address, "error", err)
	}
}

// close tells both ends of each connection to a VIP that goes, for as long as there is
// time; the zero until is for all of it.
func (k *keeper) close(vip netip.Addr, sides handover.Sides, until time.Time) {
	closed, err := handover.Close(vip, sides, until)
	switch {
	case errors.Is(err, handover.ErrUnsupported):
		k.log.Debug("connections of this node to the VIP hang when it goes", "error", err)
	case err != nil:
		k.log.Warn("connections to the VIP cannot be closed", "vip", vip, "error", err)
	case closed > 0:
		k.log.Info("connections to the VIP closed", "vip", vip, "count", closed)
	}
}
