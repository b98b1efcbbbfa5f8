package nodesocket

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

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
