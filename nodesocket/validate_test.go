package nodesocket

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/heraldlb/herald/announcer"
)

func TestValidate(t *testing.T) {
	tests := []struct {
		address, iface string
		valid          bool
	}{
		{"192.0.2.1", "", true},
		{"2001:db8::1", "eth0.100", true},
		{"fe80::1", "", true},
		{"192.0.2.1", "abcdefghijklmno", true},
		{"192.0.2.1", "abcdefghijklmnop", false},
		{"192.0.2.1", "eth0 ", false},
		{"192.0.2.1", "../x", false},
		{"192.0.2.1", "..", false},
		{"192.0.2.1", "eth0:1", false},
		{"fe80::1%eth0", "", false},
		{"::ffff:192.0.2.1", "", false},
		{"0.0.0.0", "", false},
		{"::", "", false},
		{"127.0.0.1", "", false},
		{"::1", "", false},
		{"224.0.0.1", "", false},
		{"ff02::1", "", false},
		{"255.255.255.255", "", false},
	}
	for _, test := range tests {
		a := announcer.Candidacy{Announcement: announcer.Announcement{Address: netip.MustParseAddr(test.address), Interface: test.iface}}
		if err := Validate(a); (err == nil) != test.valid || (err != nil && !errors.Is(err, ErrInvalid)) {
			t.Errorf("%+v: error %v, want valid %v", a, err, test.valid)
		}
	}
	valid := candidacies(1)[0]
	for name, hosts := range map[string][]string{
		"no name": {""}, "long": {strings.Repeat("n", 254)}, "control": {"a\x01"}, "quote": {`a"b`},
		"not ASCII": {"käse"}, "many": repeat("a", announcer.MaxHosts+1),
	} {
		if valid.Hosts = hosts; !errors.Is(Validate(valid), ErrInvalid) {
			t.Errorf("hosts, %s: valid", name)
		}
	}
	for _, hosts := range [][]string{nil, {}, {"worker-1.example.org"}, repeat(strings.Repeat("n", 253), announcer.MaxHosts)} {
		if valid.Hosts = hosts; Validate(valid) != nil {
			t.Errorf("hosts %q: %v", hosts, Validate(valid))
		}
	}
	if valid.Until = -1; !errors.Is(Validate(valid), ErrInvalid) {
		t.Error("an end before the host was booted: valid")
	}
	if err := Validate(announcer.Candidacy{}); !errors.Is(err, ErrInvalid) {
		t.Errorf("no address: error %v, want ErrInvalid", err)
	}
}

func TestValidateFacts(t *testing.T) {
	peer := netip.MustParseAddr("192.0.2.1")
	for name, test := range map[string]struct {
		facts announcer.Facts
		valid bool
	}{
		"none":         {announcer.Facts{}, true},
		"all":          {announcer.Facts{Cluster: "0b2b", Nodes: 3, Peers: []netip.Addr{peer}, Rebalance: "1"}, true},
		"many peers":   {announcer.Facts{Peers: repeat(peer, MaxPeers+1)}, false},
		"backends":     {announcer.Facts{Backends: repeat(netip.AddrPortFrom(peer, 6443), MaxBackends)}, true},
		"many":         {announcer.Facts{Backends: repeat(netip.AddrPortFrom(peer, 6443), MaxBackends+1)}, false},
		"no backend":   {announcer.Facts{Backends: make([]netip.AddrPort, 1)}, false},
		"no port":      {announcer.Facts{Backends: []netip.AddrPort{netip.AddrPortFrom(peer, 0)}}, false},
		"invalid peer": {announcer.Facts{Peers: make([]netip.Addr, 1)}, false},
		"long cluster": {announcer.Facts{Cluster: strings.Repeat("x", 254)}, false},
		"long word":    {announcer.Facts{Rebalance: strings.Repeat("x", 254)}, false},
	} {
		if err := ValidateFacts(test.facts); (err == nil) != test.valid || (err != nil && !errors.Is(err, ErrInvalid)) {
			t.Errorf("%s: error %v, want valid %v", name, err, test.valid)
		}
	}
}

func TestValidateBFD(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*announcer.BFDPeer)
		valid  bool
	}{
		"plain":            {func(*announcer.BFDPeer) {}, true},
		"multihop":         {func(p *announcer.BFDPeer) { p.Multihop = true }, true},
		"fast":             {func(p *announcer.BFDPeer) { p.Interval, p.Multiplier = MinBFDInterval, MinBFDMultiplier }, true},
		"slow":             {func(p *announcer.BFDPeer) { p.Interval, p.Multiplier = MaxBFDInterval, 255 }, true},
		"too fast":         {func(p *announcer.BFDPeer) { p.Interval = MinBFDInterval - 1 }, false},
		"too slow":         {func(p *announcer.BFDPeer) { p.Interval = MaxBFDInterval + 1 }, false},
		"multiplier":       {func(p *announcer.BFDPeer) { p.Multiplier = 1 }, false},
		"source":           {func(p *announcer.BFDPeer) { p.Source = netip.MustParseAddr("192.0.2.2") }, true},
		"other family":     {func(p *announcer.BFDPeer) { p.Source = netip.MustParseAddr("2001:db8::2") }, false},
		"multicast source": {func(p *announcer.BFDPeer) { p.Source = netip.MustParseAddr("224.0.0.1") }, false},
		"no address":       {func(p *announcer.BFDPeer) { p.Address = netip.Addr{} }, false},
		"loopback":         {func(p *announcer.BFDPeer) { p.Address = netip.MustParseAddr("127.0.0.1") }, false},
		"link-local":       {func(p *announcer.BFDPeer) { p.Address = netip.MustParseAddr("fe80::1%eth0") }, true},
		"its source": {func(p *announcer.BFDPeer) {
			p.Address, p.Source = netip.MustParseAddr("fe80::1%eth0"), netip.MustParseAddr("fe80::2")
		}, true},
		"other zone": {func(p *announcer.BFDPeer) {
			p.Address, p.Source = netip.MustParseAddr("fe80::1%eth0"), netip.MustParseAddr("fe80::2%eth1")
		}, false},
		"no zone":         {func(p *announcer.BFDPeer) { p.Address = netip.MustParseAddr("fe80::1") }, false},
		"no interface":    {func(p *announcer.BFDPeer) { p.Address = netip.MustParseAddr("fe80::1%a/b") }, false},
		"far link-local":  {func(p *announcer.BFDPeer) { p.Address, p.Multihop = netip.MustParseAddr("fe80::1%eth0"), true }, false},
		"zone of another": {func(p *announcer.BFDPeer) { p.Address = netip.MustParseAddr("2001:db8::1%eth0") }, false},
	} {
		p := announcer.BFDPeer{Address: netip.MustParseAddr("192.0.2.1"), Interval: 50 * time.Millisecond, Multiplier: 3}
		test.change(&p)
		err := ValidateFacts(announcer.Facts{BFD: []announcer.BFDPeer{p}})
		if (err == nil) != test.valid || (err != nil && !errors.Is(err, ErrInvalid)) {
			t.Errorf("%s: error %v, want valid %v", name, err, test.valid)
		}
	}
	if err := ValidateFacts(announcer.Facts{BFD: routers(MaxBFD)}); err != nil {
		t.Error(err)
	}
	for name, peers := range map[string][]announcer.BFDPeer{"many": routers(MaxBFD + 1), "twice": repeat(routers(1)[0], 2)} {
		if err := ValidateFacts(announcer.Facts{BFD: peers}); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: error %v, want ErrInvalid", name, err)
		}
	}
}

// routers are as long as they can be in JSON.
func routers(n int) []announcer.BFDPeer {
	var all []announcer.BFDPeer
	for i := range n {
		address := netip.AddrFrom16([16]byte{0xfe, 0x80, 8: 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, byte(i)}).WithZone("<<<<<<<<<<<<<<<")
		all = append(all, announcer.BFDPeer{Address: address, Source: address, Interval: MaxBFDInterval, Multiplier: 255})
	}
	return all
}

func TestValidateUnnumbered(t *testing.T) {
	for name, test := range map[string]struct {
		names []string
		valid bool
	}{
		"none":      {[]string{}, true},
		"most":      {interfaces(MaxUnnumbered), true},
		"too many":  {interfaces(MaxUnnumbered + 1), false},
		"twice":     {[]string{"eth0", "eth1", "eth0"}, false},
		"no name":   {[]string{""}, false},
		"long name": {[]string{strings.Repeat("i", 16)}, false},
		"a path":    {[]string{"a/b"}, false},
	} {
		err := ValidateFacts(announcer.Facts{Unnumbered: test.names})
		if (err == nil) != test.valid || (err != nil && !errors.Is(err, ErrInvalid)) {
			t.Errorf("%s: error %v, want valid %v", name, err, test.valid)
		}
	}
}

// interfaces have names as long as they can be in JSON.
func interfaces(n int) []string {
	var all []string
	for i := range n {
		all = append(all, strings.Repeat("<", 12)+strconv.Itoa(100+i))
	}
	return all
}
