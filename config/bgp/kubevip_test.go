package bgp_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/heraldlb/herald/config/bgp"
)

// plain is a peer with nothing but defaults.
func plain(name string, asn uint32) bgp.Peer {
	p := bgp.Peer{
		Name: name, ASN: asn, Port: 179, HoldTime: bgp.DefaultHoldTime, KeepaliveTime: 30 * time.Second,
		ConnectTime: bgp.DefaultConnectTime, GracefulRestart: bgp.DefaultGracefulRestart, Nodes: labels.Everything(),
	}
	if address, err := netip.ParseAddr(name); err == nil {
		p.Address = address
	} else {
		p.Interface = name
	}
	return p
}

func with(p bgp.Peer, change func(*bgp.Peer)) bgp.Peer {
	change(&p)
	return p
}

func TestParsePeer(t *testing.T) {
	tests := []struct {
		text string
		want bgp.Peer
	}{
		{"192.0.2.1:65000", plain("192.0.2.1", 65000)},
		{" 192.0.2.1:65000::false ", plain("192.0.2.1", 65000)},
		{"192.0.2.1:65000::::::", bgp.Peer{}}, // one field too many
		{"192.0.2.1:65000:::::", plain("192.0.2.1", 65000)},
		{"192.0.2.1:1.10:s/c=r;t:true:1790", with(plain("192.0.2.1", 65546), func(p *bgp.Peer) { p.Password, p.Multihop, p.Port = "s/c=r;t", 255, 1790 })},
		{"[2001:db8::1]:65000", plain("2001:db8::1", 65000)},
		{"[fe80::1%eth0]:65000::true", plain("fe80::1%eth0", 65000)},
		{"unnumbered:eth0:65000", plain("eth0", 65000)},
		{"192.0.2.1:65000::false:179:mpbgp_nexthop=fixed;mpbgp_ipv4=192.0.2.9", with(plain("192.0.2.1", 65000), func(p *bgp.Peer) { p.NextHop4 = netip.MustParseAddr("192.0.2.9") })},
		{"192.0.2.1:65000::false/mpbgp_nexthop=fixed;mpbgp_ipv6=2001:db8::9", with(plain("192.0.2.1", 65000), func(p *bgp.Peer) { p.NextHop6 = netip.MustParseAddr("2001:db8::9") })},
		{"[2001:db8::1]:65000::false::mpbgp_nexthop=auto_sourceif", plain("2001:db8::1", 65000)},
		{"[2001:db8::1]:65000::false:::true;300;300;3", with(plain("2001:db8::1", 65000), func(p *bgp.Peer) { p.BFD = &bgp.BFD{Interval: 300 * time.Millisecond, Multiplier: 3} })},
		{"192.0.2.1:65000:::::true;50;100;5", with(plain("192.0.2.1", 65000), func(p *bgp.Peer) { p.BFD = &bgp.BFD{Interval: 100 * time.Millisecond, Multiplier: 5} })},
		{"192.0.2.1:65000:::::true;;;", with(plain("192.0.2.1", 65000), func(p *bgp.Peer) { p.BFD = &bgp.BFD{Interval: 300 * time.Millisecond, Multiplier: 3} })},
		{"192.0.2.1:65000:::::false;300;300;3", plain("192.0.2.1", 65000)},
	}
	for _, test := range tests {
		got, err := bgp.ParsePeer(test.text)
		if (err != nil) != (test.want.Name == "") {
			t.Errorf("%s: %v", test.text, err)
		}
		if diff := cmp.Diff(test.want, got, compareBySelf()...); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.text, diff)
		}
	}
}

func TestParsePeerFaults(t *testing.T) {
	tests := []struct{ text, want string }{
		{"", "empty; a peer is address:AS:password:multihop"},
		{"192.0.2.1", "peer 192.0.2.1: AS: is missing"},
		{"192.0.2.1::secret", "peer 192.0.2.1: AS: is missing"},
		{"192.0.2.1:sixty", "peer 192.0.2.1: AS: not an AS number: those are from 1 to 4294967294 (RFC 6793)"},
		{"192.0.2.1:0", "peer 192.0.2.1: AS: AS 0 is nobody's (RFC 7607)"},
		{"router:65000", `address "router": not an IP address`},
		{"2001:db8::1:65000", "an IPv6 address stands in brackets: [2001:db8::1]:65000"},
		{"fe80::1:65000", "an IPv6 address stands in brackets: [2001:db8::1]:65000"},
		{"[2001:db8::1", "no address in brackets with ':' and an AS number after it"},
		{"[2001:db8::1]65000", "no address in brackets with ':' and an AS number after it"},
		{"[fe80::1]:65000", `address "fe80::1": link-local; on which interface? such as fe80::1%eth0`},
		{"unnumbered:eth0", "peer eth0: AS: is missing"},
		{"unnumbered:", "unnumbered:: not an interface name: 1 to 15 bytes without '/', ':' and white space"},
		{"192.0.2.1:65000:pass:word:true", "peer 192.0.2.1: multihop: neither true nor false"},
		{"192.0.2.1:65000::yes", "peer 192.0.2.1: multihop: neither true nor false"},
		{"192.0.2.1:65000::true:0", "peer 192.0.2.1: port: not a number from 1 to 65535"},
		{"192.0.2.1:65000::true::mpbgp", `peer 192.0.2.1: mpbgp: no value after "mpbgp"`},
		{"192.0.2.1:65000::true::mpbgp_nexthop=fixed", "peer 192.0.2.1: mpbgp: fixed, and neither mpbgp_ipv4 nor mpbgp_ipv6"},
		{"192.0.2.1:65000::true::mpbgp_nexthop=auto", `peer 192.0.2.1: mpbgp: "auto": not one of fixed, auto_sourceip, auto_sourceif`},
		{"192.0.2.1:65000::true::mpbgp_nexthops=fixed", `peer 192.0.2.1: mpbgp: "mpbgp_nexthops": unknown; did you mean mpbgp_nexthop?`},
		{"192.0.2.1:65000::true::mpbgp_ipv4=2001", `peer 192.0.2.1: mpbgp: "mpbgp_ipv4": not an IP address`},
		{"192.0.2.1:65000/mpbgp_ipv4=2001:db8::1", `peer 192.0.2.1: mpbgp: "mpbgp_ipv4": of the other family`},
		{"192.0.2.1:65000:::::true", "peer 192.0.2.1: bfd: not enable;receive;transmit;multiplier"},
		{"192.0.2.1:65000:::::on;;;", "peer 192.0.2.1: bfd: neither true nor false at its beginning"},
		{"192.0.2.1:65000:::::true;1;300;3", `peer 192.0.2.1: bfd: interval "1": not from 10ms to 10s`},
		{"192.0.2.1:65000:::::true;300;300;1", `peer 192.0.2.1: bfd: multiplier "1": not a number from 2 to 255`},
		{"192.0.2.1:65000:a:b:c:d:e:f", "peer 192.0.2.1: 7 fields after the address, at most 6; a password cannot have a ':'"},
	}
	for _, test := range tests {
		_, err := bgp.ParsePeer(test.text)
		if err == nil || err.Error() != test.want {
			t.Errorf("%s: %v, want %s", test.text, err, test.want)
		}
	}
}

func TestFromKubeVIP(t *testing.T) {
	times := func(p bgp.Peer, hold, keepalive time.Duration) bgp.Peer {
		p.HoldTime, p.KeepaliveTime = hold, keepalive
		return p
	}
	usual := func(p bgp.Peer) bgp.Peer { return times(p, 30*time.Second, 10*time.Second) }
	tests := []struct {
		name string
		env  map[string]string
		want *bgp.Config
		errs []string
	}{
		{"nothing", nil, nil, nil},
		{"off", map[string]string{"bgp_enable": "false", "bgp_as": "x"}, nil, nil},
		{"neither", map[string]string{"bgp_enable": "on"}, nil, []string{`environment bgp_enable: "on": neither true nor false`}},
		{
			"one peer, as kube-vip's manifest has it",
			map[string]string{"bgp_enable": "true", "bgp_routerid": "192.0.2.11", "bgp_peeraddress": "192.0.2.1", "bgp_peerpass": "", "bgp_multihop": "false", "bgp_sourceif": "", "bgp_peers": ""},
			&bgp.Config{LocalASN: 65000, RouterID: netip.MustParseAddr("192.0.2.11"), Peers: []bgp.Peer{usual(plain("192.0.2.1", 65000))}}, nil,
		},
		{
			"everything",
			map[string]string{
				"bgp_enable": "true", "bgp_as": "64512", "bgp_hold_time": "9", "bgp_keepalive_interval": "3", "bgp_peeraddress": "[2001:db8::1]", "bgp_peeras": "64500",
				"bgp_peerpass": "secret", "bgp_multihop": "true", "bgp_sourceip": "192.0.2.11", "bgp_peers": "192.0.2.2:64502::true,192.0.2.1:64501,",
				"mpbgp_nexthop": "fixed", "mpbgp_ipv4": "192.0.2.11", "mpbgp_ipv6": "2001:db8::11", "bgp_routerinterface": "eth0",
			},
			&bgp.Config{LocalASN: 64512, Peers: []bgp.Peer{
				with(times(plain("192.0.2.1", 64501), 9*time.Second, 3*time.Second), func(p *bgp.Peer) {
					p.SourceAddress, p.NextHop4, p.NextHop6 = netip.MustParseAddr("192.0.2.11"), netip.MustParseAddr("192.0.2.11"), netip.MustParseAddr("2001:db8::11")
				}),
				with(times(plain("192.0.2.2", 64502), 9*time.Second, 3*time.Second), func(p *bgp.Peer) {
					p.SourceAddress, p.NextHop4, p.NextHop6, p.Multihop = netip.MustParseAddr("192.0.2.11"), netip.MustParseAddr("192.0.2.11"), netip.MustParseAddr("2001:db8::11"), 255
				}),
				with(times(plain("2001:db8::1", 64500), 9*time.Second, 3*time.Second), func(p *bgp.Peer) {
					p.Password, p.Multihop, p.NextHop4, p.NextHop6 = "secret", 255, netip.MustParseAddr("192.0.2.11"), netip.MustParseAddr("2001:db8::11")
				}),
			}}, nil,
		},
		{
			"a source interface",
			map[string]string{"bgp_enable": "true", "bgp_peers": "192.0.2.1:64501,unnumbered:eth1:64502", "bgp_sourceif": "lo", "mpbgp_nexthop": "auto_sourceif"},
			&bgp.Config{LocalASN: 65000, Peers: []bgp.Peer{
				with(usual(plain("192.0.2.1", 64501)), func(p *bgp.Peer) { p.SourceInterface = "lo" }),
				usual(plain("eth1", 64502)),
			}}, nil,
		},
		{
			"a short hold time, and no keepalives with none",
			map[string]string{"bgp_enable": "true", "bgp_peers": "192.0.2.1:64501", "bgp_hold_time": "0", "bgp_keepalive_interval": "3"},
			&bgp.Config{LocalASN: 65000, Peers: []bgp.Peer{times(plain("192.0.2.1", 64501), 0, 0)}}, nil,
		},
		{
			"a short hold time alone",
			map[string]string{"bgp_enable": "true", "bgp_peers": "192.0.2.1:64501", "bgp_hold_time": "9"},
			&bgp.Config{LocalASN: 65000, Peers: []bgp.Peer{times(plain("192.0.2.1", 64501), 9*time.Second, 3*time.Second)}}, nil,
		},
		{"no peer", map[string]string{"bgp_enable": "true"}, nil, []string{"environment bgp_peers: no peer, and none in bgp_peeraddress"}},
		{"twice", map[string]string{"bgp_enable": "true", "bgp_peers": "192.0.2.1:64501", "bgp_peeraddress": "192.0.2.1"}, nil, []string{"environment bgp_peeraddress: peer 192.0.2.1: it is there twice"}},
		{"twice in a list", map[string]string{"bgp_enable": "true", "bgp_peers": "192.0.2.1:64501,192.0.2.1:64502"}, nil, []string{"environment bgp_peers: peer 192.0.2.1: it is there twice"}},
		{
			"faults",
			map[string]string{
				"bgp_enable": "1", "bgp_as": "0", "bgp_routerid": "::1", "bgp_peers": "x", "bgp_peeraddress": "fe80::1", "bgp_peeras": "65535", "bgp_multihop": "maybe",
				"bgp_hold_time": "2", "bgp_keepalive_interval": "0", "mpbgp_ipv4": "::1", "mpbgp_ipv6": "10.0.0.1", "mpbgp_nexthop": "fixed", "bgp_sourceip": "0.0.0.0", "bgp_sourceif": "a/b",
			},
			nil,
			[]string{
				`environment bgp_as: AS 0 is nobody's (RFC 7607)`,
				`environment bgp_routerid: a router ID has the form of an IPv4 address, with IPv6 too (RFC 4271 section 4.2)`,
				`environment bgp_peers: address "x": not an IP address`,
				`environment bgp_peeraddress: link-local; on which interface? such as fe80::1%eth0`,
				`environment bgp_peeras: AS 65535 is reserved (RFC 7300)`,
				`environment bgp_multihop: "maybe": neither true nor false`,
				`environment bgp_hold_time: neither 0 nor at least 3s (RFC 4271 section 4.2)`,
				`environment bgp_keepalive_interval: not from 1s to 65535s`,
				`environment mpbgp_ipv4: of the other family`,
				`environment mpbgp_ipv6: of the other family`,
				`environment mpbgp_nexthop: fixed, and neither mpbgp_ipv4 nor mpbgp_ipv6`,
				`environment bgp_sourceip: no host's address`,
				`environment bgp_sourceif: not an interface name: 1 to 15 bytes without '/', ':' and white space`,
			},
		},
		{
			"what does not go together",
			map[string]string{"bgp_enable": "true", "bgp_peers": "192.0.2.1:64501", "bgp_keepalive_interval": "30", "bgp_sourceip": "192.0.2.1", "bgp_sourceif": "lo"},
			nil,
			[]string{
				"environment bgp_keepalive_interval: 30s is not shorter than the hold time of 30s",
				"environment bgp_sourceif: beside bgp_sourceip; one of them",
				"environment bgp_sourceip: the router's own address",
			},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := bgp.FromKubeVIP(func(name string) (string, bool) {
				value, ok := test.env[name]
				return value, ok
			})
			var errs []string
			if err != nil {
				errs = strings.Split(err.Error(), "\n")
			}
			if diff := cmp.Diff(test.errs, errs); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.want, got, compareBySelf()...); diff != "" {
				t.Errorf("config (-want +got):\n%s", diff)
			}
		})
	}
}
