package nodesocket

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// Whatever the order of changes, takings and new peers: a peer that took all
// there is to take knows exactly the values.
func TestOutboxTellsAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		box := newOutbox(func(int) int { return room / 3 }, nil)
		values, peer := map[netip.Addr]int{}, map[netip.Addr]int{}
		addr := rapid.Custom(func(t *rapid.T) netip.Addr {
			return netip.AddrFrom4([4]byte{192, 0, 2, rapid.Byte().Draw(t, "addr") % 8})
		})
		take := func() int {
			changed, gone := box.take()
			for _, v := range changed {
				peer[netip.AddrFrom4([4]byte{192, 0, 2, byte(v)})] = v
			}
			for _, a := range gone {
				delete(peer, a)
			}
			return len(changed) + len(gone)
		}
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				// The value's low byte tells its address.
				a := addr.Draw(t, "addr")
				v := rapid.IntRange(0, 3).Draw(t, "value")<<8 | int(a.As4()[3])
				box.set(a, v)
				values[a] = v
			},
			"remove": func(t *rapid.T) {
				a := addr.Draw(t, "addr")
				box.remove(a)
				delete(values, a)
			},
			"take": func(*rapid.T) { take() },
			"new peer, differences": func(*rapid.T) {
				box.restart()
				clear(peer)
			},
			"new peer, snapshot": func(*rapid.T) {
				clear(peer)
				for _, v := range box.all() {
					peer[netip.AddrFrom4([4]byte{192, 0, 2, byte(v)})] = v
				}
			},
		})
		for told := 1; told > 0; {
			told = take()
		}
		if diff := cmp.Diff(values, peer, compareAddrs); diff != "" {
			t.Fatalf("the peer knows (-want +got):\n%s", diff)
		}
	})
}

func TestOutboxForgetsLastWords(t *testing.T) {
	box := newOutbox(func(string) int { return 1 }, func(v string) bool { return v == "gone" })
	addr := netip.MustParseAddr("192.0.2.1")
	box.set(addr, "here")
	box.set(addr, "gone")
	if changed, gone := box.take(); !slices.Equal(changed, []string{"gone"}) || gone != nil {
		t.Errorf("took %q and %v, want the last word only", changed, gone)
	}
	box.restart()
	if changed, gone := box.take(); changed != nil || gone != nil {
		t.Errorf("a new peer is told %q and %v, want nothing", changed, gone)
	}
}

func TestOutboxIsBounded(t *testing.T) {
	box := newOutbox(func(struct{}) int { return 1 }, nil)
	addr := netip.MustParseAddr("10.0.0.0")
	first := addr
	for range MaxAddresses {
		if !box.set(addr, struct{}{}) {
			t.Fatalf("%s refused", addr)
		}
		addr = addr.Next()
	}
	if box.set(addr, struct{}{}) {
		t.Error("one too many was accepted")
	}
	if !box.set(first, struct{}{}) {
		t.Error("a change of one that is held was refused")
	}
}
