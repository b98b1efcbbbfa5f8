package address

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/announcer/l2/l2test"
	"github.com/heraldlb/herald/announcer/l2/link"
)

func TestMain(m *testing.M) { l2test.Main(m) }

func TestChoose(t *testing.T) {
	prefixes := func(texts ...string) (all []netip.Prefix) {
		for _, text := range texts {
			all = append(all, netip.MustParsePrefix(text))
		}
		return all
	}
	eth0 := link.Interface{Index: 2, Name: "eth0", Up: true, Prefixes: prefixes("192.0.2.0/24", "2001:db8::/64")}
	eth1 := link.Interface{Index: 3, Name: "eth1", Up: true, Prefixes: prefixes("198.51.100.0/24")}
	down := link.Interface{Index: 4, Name: "eth2", Prefixes: prefixes("192.0.2.0/24")}
	all := []link.Interface{down, eth1, eth0}
	for name, tt := range map[string]struct {
		vip, named string
		among      []link.Interface
		byDefault  int
		want       Place
		reason     Reason
	}{
		"named": {vip: "192.0.2.10", named: "eth0", among: all, want: Place{Index: 2, Name: "eth0", Up: true}},
		"named, and of another subnet": {
			vip: "192.0.2.10", named: "eth1", among: all, byDefault: 2, want: Place{Index: 3, Name: "eth1", Up: true, Outside: true},
		},
		"named, and down":    {vip: "192.0.2.10", named: "eth2", among: all, want: Place{Index: 4, Name: "eth2"}},
		"named, and missing": {vip: "192.0.2.10", named: "eth9", among: all, byDefault: 2, reason: NoInterface},
		"subnet":             {vip: "198.51.100.10", among: all, byDefault: 2, want: Place{Index: 3, Name: "eth1", Up: true}},
		"subnet, IPv6":       {vip: "2001:db8::10", among: all, byDefault: 3, want: Place{Index: 2, Name: "eth0", Up: true}},
		"subnet of two, one of them down": {
			vip: "192.0.2.10", among: all, byDefault: 3, want: Place{Index: 2, Name: "eth0", Up: true},
		},
		"subnet of one that is down": {
			vip: "192.0.2.10", among: []link.Interface{down, eth1}, byDefault: 3, want: Place{Index: 4, Name: "eth2"},
		},
		"default route's": {
			vip: "203.0.113.10", among: all, byDefault: 3, want: Place{Index: 3, Name: "eth1", Up: true, Outside: true},
		},
		"the subnet's broadcast address": {vip: "192.0.2.255", among: all, reason: NoSubnet},
		"nowhere":                        {vip: "203.0.113.10", among: all, reason: NoSubnet},
		"default route of what is no Ethernet interface": {
			vip: "203.0.113.10", among: all, byDefault: 9, reason: NoSubnet,
		},
		"no interfaces": {vip: "192.0.2.10", reason: NoSubnet},
	} {
		t.Run(name, func(t *testing.T) {
			got, reason := Choose(netip.MustParseAddr(tt.vip), tt.named, tt.among, tt.byDefault)
			if got != tt.want || reason != tt.reason {
				t.Errorf("%+v, reason %q; want %+v, reason %q", got, reason, tt.want, tt.reason)
			}
		})
	}
}

// Of several default routes, that of the lowest metric counts, of the VIP's family.
func TestByDefault(t *testing.T) {
	here := l2test.Here(t)
	other := l2test.NewHost(t)
	l2test.Cable(t, here, "eth0", other, "eth0")
	l2test.Cable(t, here, "eth1", other, "eth1")
	here.Address(t, "eth0", "192.0.2.1/24")
	here.Address(t, "eth1", "198.51.100.1/24", "2001:db8::1/64")
	v4, v6 := netip.MustParseAddr("203.0.113.10"), netip.MustParseAddr("2001:db8:9::10")
	expect := func(vip netip.Addr, want int) {
		t.Helper()
		if got, err := ByDefault(vip); err != nil || got != want {
			t.Errorf("the default route of %s is by %d, %v; want %d", vip, got, err, want)
		}
	}
	expect(v4, 0)
	expect(v6, 0)
	eth0, eth1 := here.Link(t, "eth0").Attrs().Index, here.Link(t, "eth1").Attrs().Index
	route := func(link int, gateway string, metric int) {
		t.Helper()
		r := &netlink.Route{LinkIndex: link, Gw: netip.MustParseAddr(gateway).AsSlice(), Priority: metric}
		if err := here.RouteAdd(r); err != nil {
			t.Fatal(err)
		}
	}
	route(eth0, "192.0.2.254", 200)
	expect(v4, eth0)
	route(eth1, "198.51.100.254", 100)
	expect(v4, eth1)
	route(eth1, "2001:db8::fe", 100)
	expect(v6, eth1)
}

// A VIP is a host route that nothing prefers, marked, and ends by itself; what Herald did
// not put there is not touched by Sweep.
func TestSetAndSweep(t *testing.T) {
	here, other := l2test.Here(t), l2test.NewHost(t)
	l2test.Cable(t, here, "eth0", other, "eth0")
	here.Address(t, "eth0", "192.0.2.1/24", "192.0.2.11/32", "2001:db8::1/64")
	index := here.Link(t, "eth0").Attrs().Index
	vips := []netip.Addr{netip.MustParseAddr("192.0.2.10"), netip.MustParseAddr("2001:db8::10")}
	for _, vip := range vips {
		for range 2 { // the second time, it is there
			if err := Set(index, vip, 3*time.Second); err != nil {
				t.Fatal(err)
			}
			Await(index, vip)
		}
		found := find(t, vip)
		if len(found) != 1 || !found[0].Ours || found[0].Failed || found[0].Index != index || !found[0].Prefix.IsSingleIP() {
			t.Errorf("%s is there as %+v", vip, found)
		}
		all, err := here.AddrList(here.Link(t, "eth0"), netlink.FAMILY_ALL)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range all {
			if got, _ := netip.AddrFromSlice(a.IP); got.Unmap() == vip && (a.PreferedLft != 0 || a.ValidLft > 3) {
				t.Errorf("%s is preferred for %d s, valid for %d s", vip, a.PreferedLft, a.ValidLft)
			}
		}
		routes, err := here.RouteGet(vip.AsSlice())
		if err != nil || len(routes) == 0 || routes[0].Type != unix.RTN_LOCAL {
			t.Errorf("the route to %s is %v, %v", vip, routes, err)
		}
	}
	swept, err := Sweep(func(a Assigned) bool { return a.Prefix.Addr() == vips[0] })
	if err != nil || len(swept) != 1 || swept[0].Prefix.Addr() != vips[0] {
		t.Errorf("swept %v, %v", swept, err)
	}
	swept, err = Sweep(func(Assigned) bool { return true })
	if err != nil || len(swept) != 1 || swept[0].Prefix.Addr() != vips[1] {
		t.Errorf("swept %v, %v", swept, err)
	}
	if len(find(t, netip.MustParseAddr("192.0.2.11"))) != 1 {
		t.Error("an address that is not Herald's is gone")
	}
	if err := Remove(index, vips[0]); err != nil {
		t.Errorf("one that is not there: %v", err)
	}
}

// The kernel takes off by itself what nobody sets again.
func TestLifetime(t *testing.T) {
	here, other := l2test.Here(t), l2test.NewHost(t)
	l2test.Cable(t, here, "eth0", other, "eth0")
	vip := netip.MustParseAddr("192.0.2.10")
	if err := Set(here.Link(t, "eth0").Attrs().Index, vip, time.Millisecond); err != nil {
		t.Fatal(err)
	}
	l2test.Poll(t, "the kernel to take it off", func() bool { return len(find(t, vip)) == 0 })
}

func find(t *testing.T, addr netip.Addr) (found []Assigned) {
	t.Helper()
	all, err := All()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if a.Prefix.Addr() == addr {
			found = append(found, a)
		}
	}
	return found
}

// Who may not change addresses is told what is missing.
func TestPermitted(t *testing.T) {
	if err := Permitted(); err != nil {
		t.Fatal(err)
	}
	err := l2test.Without(unix.CAP_NET_ADMIN, Permitted)
	if !errors.Is(err, ErrPermission) || !strings.Contains(err.Error(), "CAP_NET_ADMIN") {
		t.Errorf("without the capability: %v", err)
	}
}

// An interface where IPv6 is off takes no IPv6 VIP, and the error says so.
func TestNoIPv6(t *testing.T) {
	here, other := l2test.Here(t), l2test.NewHost(t)
	l2test.Cable(t, here, "eth0", other, "eth0")
	here.Sysctl(t, "net/ipv6/conf/eth0/disable_ipv6", "1")
	err := Set(here.Link(t, "eth0").Attrs().Index, netip.MustParseAddr("2001:db8::10"), time.Second)
	if err == nil || !strings.Contains(err.Error(), "disable_ipv6") || !strings.Contains(err.Error(), "eth0") {
		t.Errorf("error %v", err)
	}
}
