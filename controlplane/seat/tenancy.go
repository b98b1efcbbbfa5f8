package seat

import (
	"net/netip"
	"time"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/controlplane"
	"github.com/heraldlb/herald/controlplane/address"
	"github.com/heraldlb/herald/controlplane/handover"
)

// tenancy is one VIP and how far it has come.
type tenancy struct {
	address netip.Addr
	// place is where it belongs; with the zero place, reason says why nowhere.
	place  address.Place
	reason address.Reason
	// own: it is an address of the node itself, which nobody takes off.
	own bool
	// on is the index of the interface that it is on, 0 if on none.
	on int
	// lingers is until when it is on the loopback interface, for the connections that
	// it had; zero: it is not.
	lingers time.Time
	// passes is until when others' connections are passed on; zero: they are not.
	passes time.Time
	// told is what the wire was asked to announce; it is zero if nothing.
	told  announcer.Announcement
	state announcer.State
	// complaint is what was logged last of it.
	complaint string
	// refused is until when this node leaves the VIP to others, since the kernel did not
	// put it on its interface.
	refused time.Time
}

// hold has the VIP on its interface, and announced. One that is to be probed for is
// put there when the probe found nobody; all others before anybody hears of it.
func (k *keeper) hold(t *tenancy, term controlplane.Term, due bool, lifetime time.Duration) {
	if k.options.Loopback {
		if t.on == 0 || due {
			k.settle(t, lifetime)
		}
		return
	}
	if t.told.Address.IsValid() && t.told.Interface != t.place.Name {
		k.vacate(t, 0)
	}
	if !t.told.Address.IsValid() {
		if !term.Probe {
			k.succeed(t, term.From)
			k.put(t, lifetime)
			if t.on == 0 {
				return // Nobody is led to where it is not.
			}
		}
		t.told = announcer.Announcement{Address: t.address, Interface: t.place.Name, Probe: term.Probe}
		t.state = announcer.Probing
		k.wire.Put(t.told)
		return
	}
	switch {
	case t.state == announcer.Conflict:
		k.drop(t)
	case t.told.Probe && t.on == 0 && t.state != announcer.Announced:
	case t.on != t.place.Index || due:
		k.put(t, lifetime)
	}
}

// settle has the VIP on lo, or says that it is to stay there.
func (k *keeper) settle(t *tenancy, lifetime time.Duration) {
	for _, on := range k.interfaces {
		if t.on == 0 && on.OnLink(t.address) {
			k.log.Warn("the VIP is in a subnet of a link: hosts there do not ask the router for it; by IPv4 some node answers them, and another only when that is found dead",
				"vip", t.address, "interface", on.Name)
		}
	}
	k.put(t, lifetime)
}

// put puts the VIP on its interface, or says that it is to stay there.
func (k *keeper) put(t *tenancy, lifetime time.Duration) {
	if t.on != 0 && t.on != t.place.Index {
		k.remove(t)
	}
	if err := address.Set(t.place.Index, t.address, lifetime); err != nil {
		k.complain(t, err)
		if t.on == 0 {
			t.refused = time.Now().Add(2 * k.options.Lifetime)
		}
		return
	}
	t.complaint, t.refused = "", time.Time{}
	if t.on == 0 {
		address.Await(t.place.Index, t.address)
		k.log.Info("VIP taken", "vip", t.address, "interface", t.place.Name)
		k.count(func(c *counts) { c.taken++ })
	}
	t.on = t.place.Index
	k.stay(t)
}

// vacate has the VIP on no interface, and then no longer announced. Its connections may
// linger.
func (k *keeper) vacate(t *tenancy, linger time.Duration) {
	k.unpass(t)
	if linger > 0 && t.on != 0 && k.linger(t, linger) {
		k.remove(t)
	} else {
		k.drop(t)
	}
	if t.told.Address.IsValid() {
		k.wire.Delete(t.address)
	}
	t.told, t.state = announcer.Announcement{}, ""
}

// drop takes the VIP off its interface, and closes its connections.
func (k *keeper) drop(t *tenancy) {
	if t.on == 0 {
		return
	}
	k.close(t.address, handover.Both, k.closing)
	k.remove(t)
	k.close(t.address, handover.Local, time.Time{})
}

func (k *keeper) remove(t *tenancy) {
	if t.on == 0 {
		return
	}
	if err := address.Remove(t.on, t.address); err != nil {
		k.complain(t, err)
		return // It is tried again, and its lifetime ends soon.
	}
	t.on = 0
	k.log.Info("VIP given up", "vip", t.address)
}

// note takes in how the announcement fares.
func (k *keeper) note(t *tenancy, s announcer.Status) {
	if !t.told.Address.IsValid() || s.State == announcer.Withdrawn {
		return
	}
	switch {
	case s.State == announcer.Conflict && t.state != announcer.Conflict:
		k.log.Error("another host uses the VIP: it is not taken until that ends", "vip", t.address, "stranger", s.Stranger)
		k.count(func(c *counts) { c.conflicts++ })
	case s.State == announcer.Announced && len(s.Stranger) > 0:
		k.log.Error("another host uses the VIP as well", "vip", t.address, "stranger", s.Stranger)
		k.count(func(c *counts) { c.conflicts++ })
	}
	t.state = s.State
}

// complain logs an error that is not the one before.
func (k *keeper) complain(t *tenancy, err error) {
	if text := err.Error(); text != t.complaint {
		t.complaint = text
		k.log.Error("the VIP cannot be held, trying again", "vip", t.address, "interface", t.place.Name, "error", err)
	}
}
