package advertisement

import (
	"net/netip"
	"testing"

	"github.com/heraldlb/herald/announcer/bgp"
	config "github.com/heraldlb/herald/config/bgp"
)

func TestNextHops(t *testing.T) {
	l := links{
		addresses: []local{
			{addr: addr("127.0.0.1"), iface: 1, name: "lo"},
			{addr: addr("203.0.113.7"), iface: 1, name: "lo", host: true},
			{addr: addr("192.0.2.99"), iface: 2, name: "eth0", host: true, passing: true}, // a VIP
			{addr: addr("192.0.2.98"), iface: 2, name: "eth0", host: true},
			{addr: addr("192.0.2.7"), iface: 2, name: "eth0"},
			{addr: addr("fe80::7"), iface: 2, name: "eth0"},
			{addr: addr("2001:db8::77"), iface: 2, name: "eth0", passing: true},
			{addr: addr("2001:db8::70"), iface: 2, name: "eth0"},
			{addr: addr("2001:db8::7"), iface: 2, name: "eth0"},
			{addr: addr("198.51.100.7"), iface: 3, name: "eth1"},
			{addr: addr("fe80::8"), iface: 4, name: "eth2"},
		},
		route: func(to netip.Addr) (int, netip.Addr, bool) {
			switch to {
			case addr("192.0.2.254"):
				return 2, addr("192.0.2.7"), true
			case addr("198.51.100.254"):
				return 3, addr("198.51.100.7"), true
			case addr("2001:db8::254"):
				return 2, addr("2001:db8::7"), true
			}
			return 0, netip.Addr{}, false
		},
	}
	own := []netip.Addr{addr("192.0.2.7"), addr("2001:db8::7")}
	hops := func(v4, v6 string) (h bgp.NextHops) {
		if v4 != "" {
			h.V4 = addr(v4)
		}
		if v6 != "" {
			h.V6 = addr(v6)
		}
		return h
	}
	for name, test := range map[string]struct {
		peer config.Peer
		own  []netip.Addr
		want bgp.NextHops
	}{
		"by IPv4":                       {config.Peer{Address: addr("192.0.2.254")}, own, hops("192.0.2.7", "2001:db8::7")},
		"by IPv6":                       {config.Peer{Address: addr("2001:db8::254")}, own, hops("192.0.2.7", "2001:db8::7")},
		"an interface of one family":    {config.Peer{Address: addr("198.51.100.254")}, own, hops("198.51.100.7", "2001:db8::7")},
		"and no other address":          {config.Peer{Address: addr("198.51.100.254")}, nil, hops("198.51.100.7", "")},
		"the Node has no word":          {config.Peer{Address: addr("192.0.2.254")}, nil, hops("192.0.2.7", "2001:db8::70")},
		"a source of its own":           {config.Peer{Address: addr("192.0.2.254"), SourceAddress: addr("203.0.113.7")}, own, hops("203.0.113.7", "2001:db8::7")},
		"a source of another interface": {config.Peer{Address: addr("192.0.2.254"), SourceAddress: addr("198.51.100.7")}, nil, hops("198.51.100.7", "")},
		"a source that is not there":    {config.Peer{Address: addr("192.0.2.254"), SourceAddress: addr("192.0.2.1")}, own, hops("192.0.2.1", "2001:db8::7")},
		"link-local":                    {config.Peer{Address: addr("fe80::1%eth0")}, nil, hops("192.0.2.7", "2001:db8::70")},
		"unnumbered":                    {config.Peer{Interface: "eth1"}, nil, hops("198.51.100.7", "")},
		"unnumbered, without addresses": {config.Peer{Interface: "eth2"}, own, hops("192.0.2.7", "2001:db8::7")},
		"fixed by kube-vip's settings":  {config.Peer{Address: addr("192.0.2.254"), NextHop6: addr("2001:db8::ff")}, own, hops("192.0.2.7", "2001:db8::ff")},
		"no route":                      {config.Peer{Address: addr("10.0.0.1")}, own, hops("192.0.2.7", "2001:db8::7")},
		"no such interface":             {config.Peer{Interface: "eth9"}, nil, hops("", "")},
	} {
		if got := l.end(test.peer, test.own).nextHops; got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

// kube-vip's bgp_sourceif names an interface.
func TestSourceInterface(t *testing.T) {
	l := links{addresses: []local{
		{addr: addr("192.0.2.7"), iface: 2, name: "eth0"}, {addr: addr("198.51.100.7"), iface: 3, name: "eth1"}, {addr: addr("2001:db8::7"), iface: 3, name: "eth1"},
	}}
	for peer, want := range map[string]string{"192.0.2.254": "198.51.100.7", "2001:db8::254": "2001:db8::7"} {
		got := l.end(config.Peer{Address: addr(peer), SourceInterface: "eth1"}, nil)
		hops := bgp.NextHops{V4: addr("198.51.100.7"), V6: addr("2001:db8::7")}
		if got != (end{addr(want), hops}) {
			t.Errorf("to %s: %+v", peer, got)
		}
	}
}

// The kernel of the test says where its loopback is.
func TestReadLinks(t *testing.T) {
	l, err := readLinks()
	if err != nil {
		t.Fatal(err)
	}
	lo := l.find(func(a local) bool { return a.addr == addr("127.0.0.1") })
	if lo.name != "lo" || lo.host || lo.passing {
		t.Errorf("127.0.0.1 is %+v", lo)
	}
	iface, source, ok := l.route(addr("127.0.0.2"))
	if !ok || iface != lo.iface || !source.IsLoopback() {
		t.Errorf("route to 127.0.0.2: interface %d, from %s, %v", iface, source, ok)
	}
}
