package seat

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/l2/link"
	"github.com/heraldlb/herald/controlplane"
	"github.com/heraldlb/herald/controlplane/address"
	"github.com/heraldlb/herald/controlplane/handover"
)

// keeper carries out the orders of a Seat; it is one goroutine's.
type keeper struct {
	*Seat
	interfaces []link.Interface
	tenancies  map[netip.Addr]*tenancy
	// refresh is when the kernel is told again of what is held.
	refresh time.Time
	// closing is until when connections may be closed before a VIP is taken off.
	closing time.Time
	// held is what Options.Held was told last, placed what Options.Placed was.
	held   []netip.Addr
	placed struct {
		vip netip.Addr
		on  string
	}
}

func (k *keeper) run(ctx context.Context, changes <-chan []link.Interface) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case k.interfaces = <-changes:
			k.refresh = time.Time{} // somebody may have taken a VIP off
		case <-k.wake:
		case <-timer.C:
		}
		if k.interfaces != nil {
			timer.Reset(k.carryOut())
		}
	}
}

// carryOut does what the orders are, and returns when to look at them again.
func (k *keeper) carryOut() time.Duration {
	now := time.Now()
	o, left := k.take()
	due := !now.Before(k.refresh)
	if due {
		k.refresh = now.Add(k.options.Lifetime / 3)
		k.look()
	}
	lifetime := min(left, k.options.Lifetime)
	// The kernel counts in seconds, whatever is left.
	if again := now.Add(max(lifetime, time.Second) / 3); again.Before(k.refresh) {
		k.refresh = again
	}
	next := min(left, time.Until(k.refresh))
	k.closing = now.Add(closeBound(o.term))
	for _, vip := range slices.SortedFunc(maps.Keys(k.tenancies), netip.Addr.Compare) { // IPv4 first, which takes less time
		t := k.tenancies[vip]
		if s, ok := o.statuses[t.address]; ok {
			k.note(t, s)
		}
		if slices.Contains(o.vips, t.address) && o.holding && t.place.Index != 0 && !t.own {
			k.hold(t, o.term, due, lifetime)
		} else {
			k.vacate(t, k.options.Linger)
		}
		next = min(next, k.lapse(t, now))
		if o.renew && t.on != 0 {
			k.wire.Again(t.address)
		}
	}
	maps.DeleteFunc(k.tenancies, func(_ netip.Addr, t *tenancy) bool {
		return !slices.Contains(o.vips, t.address) && t.lingers.IsZero()
	})
	k.tellPlace(o.vips)
	k.tell(o.holding)
	return next
}

// closeBound is for how long a VIP may stay for its connections to be closed: a part of
// what is left of its term, after which others may have it.
func closeBound(t controlplane.Term) time.Duration {
	const most = 200 * time.Millisecond
	if t.Until == 0 {
		return most
	}
	now, err := announcer.Now()
	if err != nil {
		return 0
	}
	return max(0, min(most, t.Until.Sub(now)/2))
}

// forever is longer than anything that is waited for.
const forever = 1<<63 - 1

// take returns the orders as of now, and how much is left of the term; one that is
// over is ended.
func (k *keeper) take() (orders, time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	left := time.Duration(forever)
	if o := &k.orders; o.holding && o.term.Until != 0 {
		now, err := announcer.Now()
		left = o.term.Until.Sub(now)
		if err != nil || left <= 0 {
			k.log.Warn("the term ended and no other came: the VIP is given up", "error", err)
			o.holding, left = false, forever
			k.counts.expired++
		}
	}
	o := k.orders
	o.statuses = maps.Clone(o.statuses)
	k.orders.renew = false
	clear(k.orders.statuses)
	for _, vip := range o.vips {
		if k.tenancies[vip] == nil {
			k.tenancies[vip] = &tenancy{address: vip}
		}
	}
	return o, left
}

// tell says what is held now, to whom it concerns.
func (k *keeper) tell(holding bool) {
	var held, all []netip.Addr
	for _, t := range k.tenancies {
		if t.on != 0 {
			held = append(held, t.address)
		}
		if t.on != 0 || !t.lingers.IsZero() {
			all = append(all, t.address)
		}
	}
	slices.SortFunc(held, netip.Addr.Compare)
	slices.SortFunc(all, netip.Addr.Compare)
	if k.options.Held != nil && !slices.Equal(all, k.held) {
		k.options.Held(all)
	}
	k.held = all
	k.mu.Lock()
	defer k.mu.Unlock()
	k.counts.held = held
	if len(all) == 0 && !holding && !k.orders.holding {
		k.empty()
	}
}

// tellPlace says where the VIPs belong.
func (k *keeper) tellPlace(vips []netip.Addr) {
	if len(vips) == 0 || k.options.Placed == nil {
		return
	}
	is := k.placed
	is.vip, is.on = vips[0], k.seatOf(vips)
	if is != k.placed {
		k.placed = is
		k.options.Placed(is.vip, is.on)
	}
}

// seatOf returns the interface of the first VIP that has one which is up: an elector may
// reach the others by another network, and is not to hold what nobody reaches. One that
// refused a VIP a moment ago is none either. There is none on a node that has one of them
// for itself: it would hold what it must not give up.
func (k *keeper) seatOf(vips []netip.Addr) (on string) {
	for _, vip := range vips {
		t := k.tenancies[vip]
		if t.own {
			return ""
		}
		if on == "" && t.place.Up && !time.Now().Before(t.refused) {
			on = t.place.Name
		}
	}
	return on
}

// look finds where each VIP belongs, and what became of it.
func (k *keeper) look() {
	assigned, err := address.All()
	if err != nil {
		k.log.Error("cannot look at the addresses", "error", err)
	}
	for _, t := range k.tenancies {
		k.findPlace(t)
		k.inspect(t, assigned)
	}
}

// findPlace chooses the interface of a VIP; one that it is on stays as long as it is
// there.
func (k *keeper) findPlace(t *tenancy) {
	if k.options.Loopback {
		t.place = address.Place{Index: address.Loopback, Name: address.Name(address.Loopback), Up: true}
		return
	}
	byDefault := 0
	if k.options.Interface == "" {
		index, err := address.ByDefault(t.address)
		if err != nil {
			k.log.Error("cannot read the default route", "error", err)
		}
		byDefault = index
	}
	place, reason := address.Choose(t.address, k.options.Interface, k.interfaces, byDefault)
	if place == t.place && reason == t.reason {
		return
	}
	t.place, t.reason, t.refused = place, reason, time.Time{}
	switch log := k.log.With("vip", t.address, "interface", place.Name); {
	case reason != "":
		k.log.Warn("no place for the VIP, waiting", "vip", t.address, "reason", reason, "interface", k.options.Interface)
	case !place.Up:
		log.Warn("the VIP's interface is down, waiting")
	case place.Outside:
		log.Warn("the VIP is outside every subnet of its interface: only hosts with a route to it reach it")
	default:
		log.Info("the VIP belongs on this interface")
	}
}

// inspect finds out what the kernel says of a VIP.
func (k *keeper) inspect(t *tenancy, assigned []address.Assigned) {
	own := false
	for _, a := range assigned {
		switch {
		case a.Prefix.Addr() != t.address:
		case a.Index == address.Loopback && !t.lingers.IsZero():
		case !a.Ours && (!a.Prefix.IsSingleIP() || a.Index != t.on):
			own = true
			if !t.own {
				k.log.Error("the VIP is an address of this node itself, which does not stand for election: take it off, or choose another",
					"vip", t.address, "prefix", a.Prefix, "interface", address.Name(a.Index))
			}
		case a.Failed:
			k.log.Warn("the kernel takes the VIP for a duplicate: it is put there anew", "vip", t.address)
			if err := address.Remove(a.Index, t.address); err != nil {
				k.log.Error("cannot take the VIP off", "error", err)
			}
		}
	}
	if t.own && !own {
		k.log.Info("the VIP is no longer an address of this node itself", "vip", t.address)
	}
	t.own = own
}

// sweep takes off what another run left.
func (k *keeper) sweep() {
	swept, err := address.Sweep(func(address.Assigned) bool { return true })
	for _, a := range swept {
		k.log.Warn("a VIP of an earlier run was still there and is taken off", "vip", a.Prefix.Addr(), "interface", address.Name(a.Index))
		k.close(a.Prefix.Addr(), handover.Local, time.Time{})
	}
	if err != nil {
		k.log.Error("cannot take off what an earlier run left", "error", err)
	}
	if _, err := handover.Sweep(); err != nil {
		k.log.Debug("cannot look for what an earlier run left of a hand-over", "error", err)
	}
}

// leave takes all off, at the end.
func (k *keeper) leave() {
	for _, t := range k.tenancies {
		k.vacate(t, 0)
		k.disperse(t)
	}
	k.tell(false)
}
