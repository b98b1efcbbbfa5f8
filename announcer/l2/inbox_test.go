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
	put := func(addr netip.Addr) announcer.Announcement { return announcer.Announcement{Address: addr} }
	box := newInbox()
	for _, step := range []struct {
		name string
		do   func()
		want []order
	}{
		{"nothing", func() {}, nil},
		{"two", func() { box.put(put(b)); box.put(put(a)) }, []order{wanted(b), wanted(a)}},
		{"again", func() { box.put(put(a)) }, nil},
		{"changed", func() { box.put(announcer.Announcement{Address: a, Interface: "eth0"}) }, []order{
			{Announcement: announcer.Announcement{Address: a, Interface: "eth0"}, wanted: true},
		}},
		{"gone and back", func() { box.delete(b); box.put(put(b)) }, []order{wanted(b)}},
		{"come and gone", func() { box.put(put(c)); box.delete(c) }, []order{unwanted(c)}},
		{"unknown", func() { box.delete(c) }, nil},
		{"replaced", func() { box.replace([]announcer.Announcement{put(b), put(c)}) }, []order{wanted(c), unwanted(a)}},
		{"replaced by the same", func() { box.replace([]announcer.Announcement{put(b), put(c)}) }, nil},
		{"replaced by nothing", func() { box.replace(nil); box.put(put(b)) }, []order{wanted(b), unwanted(c)}},
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
	box.put(put(c))
	box.put(put(a))
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
	box.delete(netip.MustParseAddr("192.0.2.1"))
	if woken() {
		t.Error("woken for nothing")
	}
	for range 3 {
		box.put(announcer.Announcement{Address: netip.MustParseAddr("192.0.2.1")})
	}
	if !woken() || woken() {
		t.Error("not woken once for three orders")
	}
}
