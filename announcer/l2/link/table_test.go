package link

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/heraldlb/herald/announcer/l2/frame"
)

func eth(index int, name string, up bool, ups uint32) linkMessage {
	return linkMessage{index: index, name: name, mac: frame.MAC{2, 0, 0, 0, 0, byte(index)}, ethernet: true, up: up, ups: ups, counted: true}
}

func addr(prefix string) address {
	p := netip.MustParsePrefix(prefix)
	return address{local: p.Addr(), prefix: p.Masked()}
}

// Each step changes the table and says if that is news, and whether neighbours
// of interface 2 have to be told anew.
func TestTable(t *testing.T) {
	table := newTable()
	tentative := addressMessage{index: 2, address: addr("fe80::1/64"), tentative: true}
	for _, step := range []struct {
		name       string
		do         func() bool
		news, anew bool
	}{
		{"a new interface", func() bool { return table.setLink(eth(2, "eth0", false, 0)) }, true, false},
		{"comes up", func() bool { return table.setLink(eth(2, "eth0", true, 1)) }, true, true},
		{"is notified again", func() bool { return table.setLink(eth(2, "eth0", true, 1)) }, false, false},
		{"gets an address", func() bool { return table.setAddress(addressMessage{index: 2, address: addr("192.0.2.1/24")}) }, true, false},
		{"is told the address again", func() bool { return table.setAddress(addressMessage{index: 2, address: addr("192.0.2.1/24")}) }, false, false},
		{"gets one that is tentative", func() bool { return table.setAddress(tentative) }, true, false},
		{"may use it", func() bool { return table.setAddress(addressMessage{index: 2, address: tentative.address}) }, true, false},
		{"goes down", func() bool { return table.setLink(eth(2, "eth0", false, 1)) }, true, false},
		{"comes up again", func() bool { return table.setLink(eth(2, "eth0", true, 2)) }, true, true},
		{"flaps unseen", func() bool { return table.setLink(eth(2, "eth0", true, 3)) }, true, true},
		{"is notified without a count", func() bool {
			l := eth(2, "eth0", true, 0)
			l.counted = false
			return table.setLink(l)
		}, false, false},
		{"is notified with the count again", func() bool { return table.setLink(eth(2, "eth0", true, 3)) }, false, false},
		{"is renamed", func() bool { return table.setLink(eth(2, "lan0", true, 3)) }, true, true},
		{"gets another MAC", func() bool {
			l := eth(2, "lan0", true, 3)
			l.mac[5] = 0x99
			return table.setLink(l)
		}, true, true},
		{"loses an address it did not have", func() bool { return table.deleteAddress(2, addr("192.0.2.2/24")) }, false, false},
		{"loses an address", func() bool { return table.deleteAddress(2, addr("192.0.2.1/24")) }, true, false},
		{"is deleted", func() bool { return table.deleteLink(2) }, true, false},
		{"is deleted again", func() bool { return table.deleteLink(2) }, false, false},
		{"loses an address after that", func() bool { return table.deleteAddress(2, addr("192.0.2.1/24")) }, false, false},
		{"is made again with the same index", func() bool { return table.setLink(eth(2, "eth0", true, 1)) }, true, true},
		{"is found by a dump", func() bool {
			table.replace([]linkMessage{eth(2, "eth0", true, 1)}, nil)
			return true
		}, true, false},
		{"is found by a dump after a flap", func() bool {
			table.replace([]linkMessage{eth(2, "eth0", true, 2)}, nil)
			return true
		}, true, true},
	} {
		epochs := table.epochs
		if got := step.do(); got != step.news {
			t.Errorf("%s: news %v, want %v", step.name, got, step.news)
		}
		if got := table.epochs != epochs; got != step.anew {
			t.Errorf("%s: a new epoch %v, want %v", step.name, got, step.anew)
		}
	}
}

func TestInterfaces(t *testing.T) {
	table := newTable()
	table.replace([]linkMessage{
		{index: 1, name: "lo", up: true},
		eth(3, "eth1", true, 1),
		eth(2, "eth0", true, 1),
		eth(9, "gone", true, 1),
	}, []addressMessage{
		{1, addr("127.0.0.1/8"), false},
		{2, addr("192.0.2.1/24"), false},
		{2, addr("192.0.2.7/24"), false}, // a second address of the same prefix
		{2, addr("198.51.100.1/32"), false},
		{2, addr("2001:db8::1/64"), false},
		{2, addr("2001:db8:1::1/128"), false},
		{7, addr("203.0.113.1/24"), false}, // a link that the dump did not have
	})
	table.replace([]linkMessage{{index: 1, name: "lo", up: true}, eth(2, "eth0", true, 1), eth(3, "eth1", true, 1)}, []addressMessage{
		{2, addr("192.0.2.1/24"), false},
		{2, addr("192.0.2.7/24"), false},
		{2, addr("198.51.100.1/32"), false},
		{2, addr("2001:db8::1/64"), false},
		{2, addr("2001:db8:1::1/128"), false},
		{2, addr("fe80::3/64"), false},
		{2, addr("fe80::2/64"), false},
		{2, addr("fe80::1/64"), true},
	})
	table.deleteAddress(2, addr("192.0.2.7/24"))
	want := []Interface{
		{Index: 2, Name: "eth0", MAC: frame.MAC{2, 0, 0, 0, 0, 2}, Up: true, Prefixes: []netip.Prefix{
			netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/64"), netip.MustParsePrefix("fe80::/64"),
		}, LinkLocal: netip.MustParseAddr("fe80::2")},
		{Index: 3, Name: "eth1", MAC: frame.MAC{2, 0, 0, 0, 0, 3}, Up: true},
	}
	got := table.interfaces()
	opts := []cmp.Option{
		cmpopts.IgnoreFields(Interface{}, "Epoch"),
		cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
		cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	}
	if d := cmp.Diff(want, got, opts...); d != "" {
		t.Errorf("interfaces (-want +got):\n%s", d)
	}
	if got[0].Epoch == got[1].Epoch {
		t.Errorf("both interfaces have epoch %d", got[0].Epoch)
	}
	for addr, want := range map[string]bool{"192.0.2.200": true, "198.51.100.1": false, "2001:db8::5": true, "2001:db8:1::1": false} {
		if got[0].OnLink(netip.MustParseAddr(addr)) != want {
			t.Errorf("OnLink(%s) = %v", addr, !want)
		}
	}
}

// The addresses of a prefix that mean all its hosts are nobody's.
func TestOnLink(t *testing.T) {
	for prefix, addrs := range map[string]map[string]bool{
		"192.0.2.0/24":    {"192.0.2.0": false, "192.0.2.1": true, "192.0.2.254": true, "192.0.2.255": false, "192.0.3.1": false},
		"192.0.2.64/30":   {"192.0.2.64": false, "192.0.2.65": true, "192.0.2.66": true, "192.0.2.67": false},
		"192.0.2.64/31":   {"192.0.2.64": true, "192.0.2.65": true},
		"0.0.0.0/0":       {"0.0.0.0": false, "255.255.255.255": false, "192.0.2.0": true},
		"2001:db8::/120":  {"2001:db8::": true, "2001:db8::ff": true},
		"2001:db8:1::/64": {"2001:db8:1::": true, "2001:db8:1::1": true},
	} {
		i := &Interface{Prefixes: []netip.Prefix{netip.MustParsePrefix(prefix)}}
		for addr, want := range addrs {
			if i.OnLink(netip.MustParseAddr(addr)) != want {
				t.Errorf("OnLink(%s) with %s = %v", addr, prefix, !want)
			}
		}
	}
	overlap := &Interface{Prefixes: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("192.0.0.0/16")}}
	if !overlap.OnLink(netip.MustParseAddr("192.0.2.255")) {
		t.Error("a broadcast address of one prefix is not a host's of a larger one")
	}
}
