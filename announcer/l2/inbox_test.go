package l2

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/heraldlb/herald/announcer"
)

func TestInbox(t *testing.T) {
	a, b, c := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("192.0.2.3")
	wanted := func(addr netip.Addr) order {
		return order{Announcement: announcer.Announcement{Address: addr}, wanted: true}
	}
	unwanted := func(addr netip.Addr) order { return order{Announcement: announcer.Announcement{Address: addr}} }
	all := func(addrs ...netip.Addr) (all []announcer.Announcement) {
		for _, addr := range addrs {
			all = append(all, announcer.Announcement{Address: addr})
		}
		return all
	}
	again := func(addr netip.Addr) order {
		o := wanted(addr)
		o.again = true
		return o
	}
	box := newInbox()
	for _, step := range []struct {
		name string
		do   func()
		want []order
	}{
		{"nothing", func() {}, nil},
		{"two", func() { box.put(all(b)); box.put(all(a)) }, []order{wanted(b), wanted(a)}},
		{"again", func() { box.put(all(a)) }, nil},
		{"changed", func() { box.put([]announcer.Announcement{{Address: a, Interface: "eth0"}}) }, []order{
			{Announcement: announcer.Announcement{Address: a, Interface: "eth0"}, wanted: true},
		}},
		{"gone and back", func() { box.delete([]netip.Addr{b}); box.put(all(b)) }, []order{again(b)}},
		{"come and gone", func() { box.put(all(c)); box.delete([]netip.Addr{c}) }, []order{unwanted(c)}},
		{"unknown", func() { box.delete([]netip.Addr{c}) }, nil},
		{"again", func() { box.put(all(a)); box.renew([]netip.Addr{a, c}) }, []order{again(a)}},
		{"again and gone", func() { box.renew([]netip.Addr{a}); box.delete([]netip.Addr{a}) }, []order{unwanted(a)}},
		{"many", func() { box.put(all(a, b, c)) }, []order{wanted(a), wanted(c)}},
	} {
		step.do()
		got := box.take()
		slices.SortFunc(got, byAddress)
		slices.SortFunc(step.want, byAddress)
		same := cmp.Comparer(func(a, b netip.Addr) bool { return a == b })
		if d := cmp.Diff(step.want, got, cmp.AllowUnexported(order{}), same, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, d)
		}
	}
	// What is put is done in that order, so that who waits first is served first.
	box.renew([]netip.Addr{c, a})
	if got := box.take(); len(got) != 2 || got[0].Address != c {
		t.Errorf("taken in the order %v", got)
	}
}

func byAddress(a, b order) int { return a.Address.Compare(b.Address) }

// An order wakes the loop; none does not.
func TestInboxWakes(t *testing.T) {
	box := newInbox()
	woken := func() bool {
		select {
		case <-box.wake:
			return true
		default:
			return false
		}
	}
	box.delete([]netip.Addr{netip.MustParseAddr("192.0.2.1")})
	if woken() {
		t.Error("woken for nothing")
	}
	for range 3 {
		box.put([]announcer.Announcement{{Address: netip.MustParseAddr("192.0.2.1")}})
		box.renew([]netip.Addr{netip.MustParseAddr("192.0.2.1")})
	}
	if !woken() || woken() {
		t.Error("not woken once for three orders")
	}
}
