package balancer

import (
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func forwardsAll(bool) bool { return true }

func TestChoose(t *testing.T) {
	at := func(text string) netip.AddrPort { return netip.MustParseAddrPort(text) }
	local := backend{addr: at("192.0.2.1:6443"), local: true}
	second, third := backend{addr: at("192.0.2.2:6443")}, backend{addr: at("192.0.2.3:6443")}
	ready := func(b backend) backend { b.ready, b.alive = true, true; return b }
	alive := func(b backend) backend { b.alive = true; return b }
	for name, c := range map[string]struct {
		backends []backend
		want     []netip.AddrPort
	}{
		"none":                        {nil, nil},
		"all ready":                   {[]backend{ready(third), ready(local), ready(second)}, []netip.AddrPort{local.addr, second.addr, third.addr}},
		"some ready":                  {[]backend{local, ready(second), alive(third)}, []netip.AddrPort{second.addr}},
		"none ready":                  {[]backend{local, alive(second), third}, []netip.AddrPort{local.addr}},
		"none ready, none local":      {[]backend{alive(second), third}, []netip.AddrPort{second.addr}},
		"none that answers, or local": {[]backend{third, second}, []netip.AddrPort{second.addr, third.addr}},
	} {
		if got := choose(c.backends); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// Whatever is known of backends: connections stay in their family, leave the host
// only if it forwards, go to no unready one while there is a ready one, and to some
// while there is any.
func TestPlan(t *testing.T) {
	addr := rapid.Custom(func(t *rapid.T) netip.AddrPort {
		last := byte(rapid.IntRange(1, 5).Draw(t, "last"))
		a := netip.AddrFrom4([4]byte{192, 0, 2, last})
		if rapid.Bool().Draw(t, "IPv6") {
			a = netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 15: last})
		}
		return netip.AddrPortFrom(a, 6443)
	})
	backends := rapid.Custom(func(t *rapid.T) backend {
		b := backend{addr: addr.Draw(t, "addr"), local: rapid.Bool().Draw(t, "local"), alive: rapid.Bool().Draw(t, "alive")}
		b.ready = b.alive && rapid.Bool().Draw(t, "ready")
		return b
	})
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfDistinct(backends, func(b backend) netip.AddrPort { return b.addr }).Draw(t, "backends")
		frontends := rapid.SliceOfDistinct(addr, func(a netip.AddrPort) netip.AddrPort { return a }).Draw(t, "frontends")
		forwards := rapid.Bool().Draw(t, "forwards")
		served := make(map[netip.AddrPort][]netip.AddrPort)
		for _, s := range plan(frontends, all, func(bool) bool { return forwards }) {
			served[s.frontend] = s.targets
		}
		for _, f := range frontends {
			usable := slices.DeleteFunc(slices.Clone(all), func(b backend) bool {
				return b.addr.Addr().Is4() != f.Addr().Is4() || !b.local && !forwards
			})
			if (len(usable) > 0) != (len(served[f]) > 0) {
				t.Fatalf("%s goes to %v of %+v", f, served[f], usable)
			}
			for _, target := range served[f] {
				i := slices.IndexFunc(usable, func(b backend) bool { return b.addr == target })
				if i < 0 || !usable[i].ready && slices.ContainsFunc(usable, func(b backend) bool { return b.ready }) {
					t.Fatalf("%s goes to %s of %+v", f, target, usable)
				}
			}
		}
	})
	if got := plan([]netip.AddrPort{netip.MustParseAddrPort("192.0.2.9:6443")}, nil, forwardsAll); len(got) != 0 {
		t.Errorf("without backends: %v", got)
	}
}
