package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/heraldlb/herald/config"
)

func TestFaults(t *testing.T) {
	tests := []struct {
		name string
		data map[string]string
		want []string
	}{
		{"nothing", nil, nil},
		{
			"all keys, no fault",
			map[string]string{
				"cidr-global":          " 192.168.1.240/28 , 2001:db8:1::/64\n",
				"range-global":         "192.168.2.10 - 192.168.2.20,2001:db8:2::1-2001:db8:2::9",
				"exclude-global":       "192.168.1.250,192.168.2.12-192.168.2.13,2001:db8:1::/120",
				"cidr-team-a":          "10.1.0.16/28",
				"allow-share-team-a":   "true",
				"allow-share-global":   "false",
				"interface-global":     "eth0",
				"interface-team-b":     "bond0.12@x",
				"search-order":         "desc",
				"skip-end-ips-in-cidr": "true",
			},
			nil,
		},
		{
			"CIDRs",
			map[string]string{"cidr-global": strings.Join([]string{
				"10.0.0.1/24",
				"10.0.0.0/33",
				"10.0.0.0/255.255.255.0",
				"10.0.0.256/24",
				"010.0.0.0/24",
				"10.0.0.5",
				"2001:db8::5",
				"2001:db8::1/64",
				"2001:db8::/129",
				"2001:db8::g/64",
				"10.0.0.1-10.0.0.9",
				"10.0.0.0/24 10.0.1.0/24",
				"",
				"/24",
				"pool",
			}, ",")},
			[]string{
				`error: cidr-global[1] "10.0.0.1/24": host bits set; did you mean 10.0.0.0/24?`,
				`error: cidr-global[2] "10.0.0.0/33": prefix length "33" is not a number from 0 to 32`,
				`error: cidr-global[3] "10.0.0.0/255.255.255.0": prefix length "255.255.255.0" is not a number from 0 to 32`,
				`error: cidr-global[4] "10.0.0.256/24": not an IPv4 address: four numbers from 0 to 255 without leading zeros`,
				`error: cidr-global[5] "010.0.0.0/24": not an IPv4 address: four numbers from 0 to 255 without leading zeros`,
				`error: cidr-global[6] "10.0.0.5": no prefix length; did you mean 10.0.0.5/32?`,
				`error: cidr-global[7] "2001:db8::5": no prefix length; did you mean 2001:db8::5/128?`,
				`error: cidr-global[8] "2001:db8::1/64": host bits set; did you mean 2001:db8::/64?`,
				`error: cidr-global[9] "2001:db8::/129": prefix length "129" is not a number from 0 to 128`,
				`error: cidr-global[10] "2001:db8::g/64": not an IPv6 address`,
				`error: cidr-global[11] "10.0.0.1-10.0.0.9": a range, not a CIDR; it belongs in a range- key`,
				`error: cidr-global[12] "10.0.0.0/24 10.0.1.0/24": white space inside; entries are separated by commas`,
				`error: cidr-global[13]: empty entry`,
				`error: cidr-global[14] "/24": no address`,
				`error: cidr-global[15] "pool": not an IP address`,
			},
		},
		{
			"ranges",
			map[string]string{"range-global": strings.Join([]string{
				"10.0.0.9-10.0.0.1",
				"2001:db8::9-2001:db8::1",
				"10.0.0.1-2001:db8::1",
				"10.0.0.1",
				"10.0.0.0/24",
				"10.0.0.1-10.0.0.2-10.0.0.3",
				"10.0.0.1-50",
				"-10.0.0.9",
				"10.0.0.1 10.0.0.9",
				"",
			}, ",")},
			[]string{
				`error: range-global[1] "10.0.0.9-10.0.0.1": reversed; did you mean 10.0.0.1-10.0.0.9?`,
				`error: range-global[2] "2001:db8::9-2001:db8::1": reversed; did you mean 2001:db8::1-2001:db8::9?`,
				`error: range-global[3] "10.0.0.1-2001:db8::1": mixes IPv4 and IPv6`,
				`error: range-global[4] "10.0.0.1": a range has two ends; did you mean 10.0.0.1-10.0.0.1?`,
				`error: range-global[5] "10.0.0.0/24": a CIDR, not a range; it belongs in a cidr- key`,
				`error: range-global[6] "10.0.0.1-10.0.0.2-10.0.0.3": last address: not an IPv4 address: four numbers from 0 to 255 without leading zeros`,
				`error: range-global[7] "10.0.0.1-50": last address: not an IP address`,
				`error: range-global[8] "-10.0.0.9": first address: no address`,
				`error: range-global[9] "10.0.0.1 10.0.0.9": white space inside; entries are separated by commas`,
				`error: range-global[10]: empty entry`,
			},
		},
		{
			"IPv4-mapped addresses and zones",
			map[string]string{
				"cidr-global":    "::ffff:10.0.0.0/120,fe80::1%eth0/64",
				"range-global":   "::ffff:10.0.0.1-::ffff:10.0.0.9,2001:db8::1%eth0-2001:db8::9",
				"exclude-global": "::ffff:10.0.0.1,2001:db8::1%0",
			},
			[]string{
				`error: cidr-global[1] "::ffff:10.0.0.0/120": IPv4-mapped IPv6 addresses; did you mean 10.0.0.0/24?`,
				`error: cidr-global[2] "fe80::1%eth0/64": zone "eth0"; addresses here have none`,
				`error: exclude-global[1] "::ffff:10.0.0.1": IPv4-mapped IPv6 address; did you mean 10.0.0.1?`,
				`error: exclude-global[2] "2001:db8::1%0": zone "0"; addresses here have none`,
				`error: range-global[1] "::ffff:10.0.0.1-::ffff:10.0.0.9": first address: IPv4-mapped IPv6 address; did you mean 10.0.0.1?`,
				`error: range-global[2] "2001:db8::1%eth0-2001:db8::9": first address: zone "eth0"; addresses here have none`,
			},
		},
		{
			"addresses that no Service can have",
			map[string]string{
				"cidr-global":  "0.0.0.0/32,0.0.0.0/0,127.0.0.0/8,224.0.0.0/24,::/0,::1/128,ff02::/16,fe80::/64,::/128,::ffff:0:0/95,::fffe:0:0/95",
				"range-global": "223.255.255.250-224.0.0.1,255.255.255.254-255.255.255.255",
			},
			[]string{
				`error: cidr-global[1] "0.0.0.0/32": kube-vip's pool for DHCP; Herald does not do DHCP, name the addresses to hand out`,
				`error: cidr-global[2] "0.0.0.0/0": holds addresses of 0.0.0.0/8: this network (RFC 791 section 3.2); they cannot be handed out`,
				`error: cidr-global[3] "127.0.0.0/8": holds addresses of 127.0.0.0/8: loopback (RFC 1122 section 3.2.1.3); they cannot be handed out`,
				`error: cidr-global[4] "224.0.0.0/24": holds addresses of 224.0.0.0/4: multicast (RFC 5771); they cannot be handed out`,
				`error: cidr-global[5] "::/0": holds addresses of ::/128: unspecified (RFC 4291 section 2.5.2); they cannot be handed out`,
				`error: cidr-global[6] "::1/128": holds addresses of ::1/128: loopback (RFC 4291 section 2.5.3); they cannot be handed out`,
				`error: cidr-global[7] "ff02::/16": holds addresses of ff00::/8: multicast (RFC 4291 section 2.7); they cannot be handed out`,
				`error: cidr-global[8] "fe80::/64": holds addresses of fe80::/10: link-local (RFC 4291 section 2.5.6); they cannot be handed out`,
				`error: cidr-global[9] "::/128": holds addresses of ::/128: unspecified (RFC 4291 section 2.5.2); they cannot be handed out`,
				`error: cidr-global[10] "::ffff:0:0/95": host bits set; did you mean ::fffe:0:0/95?`,
				`error: cidr-global[11] "::fffe:0:0/95": holds addresses of ::ffff:0.0.0.0/96: IPv4-mapped (RFC 4291 section 2.5.5.2); they cannot be handed out`,
				`error: range-global[1] "223.255.255.250-224.0.0.1": holds addresses of 224.0.0.0/4: multicast (RFC 5771); they cannot be handed out`,
				`error: range-global[2] "255.255.255.254-255.255.255.255": holds addresses of 255.255.255.255/32: limited broadcast (RFC 919); they cannot be handed out`,
			},
		},
		{
			"addresses that may not work everywhere",
			map[string]string{"range-a": "169.254.7.1-169.254.7.9,240.1.0.1-240.1.0.9"},
			[]string{
				`warning: range-a[1] "169.254.7.1-169.254.7.9": holds addresses of 169.254.0.0/16: link-local (RFC 3927), which routers do not forward`,
				`warning: range-a[2] "240.1.0.1-240.1.0.9": holds addresses of 240.0.0.0/4: reserved (RFC 1112 section 4), which many hosts refuse`,
			},
		},
		{
			"ends of a segment",
			map[string]string{
				"cidr-a":    "10.0.0.0/24,10.0.1.240/28,10.0.2.0/32,2001:db8::/64,2001:db8:1::1/128,2001:db8:2::10/124",
				"range-a":   "10.0.3.0-10.0.3.9",
				"cidr-b":    "10.1.0.0/24,2001:db8:b::/64",
				"exclude-b": "10.1.0.0,10.1.0.255,2001:db8:b::",
			},
			[]string{
				`warning: cidr-a[1] "10.0.0.0/24": hands out 10.0.0.0 and 10.0.0.255, the network or broadcast address on a /24 segment; avoid with skip-end-ips-in-cidr or exclude-a`,
				`warning: cidr-a[2] "10.0.1.240/28": hands out 10.0.1.255, the network or broadcast address on a /24 segment; avoid with skip-end-ips-in-cidr or exclude-a`,
				`warning: cidr-a[4] "2001:db8::/64": hands out 2001:db8::, the subnet-router anycast address on a /64 segment (RFC 4291 section 2.6.1); avoid with skip-end-ips-in-cidr or exclude-a`,
				`warning: range-a[1] "10.0.3.0-10.0.3.9": hands out 10.0.3.0, the network or broadcast address on a /24 segment; avoid with exclude-a`,
			},
		},
		{
			"scopes",
			map[string]string{
				"cidr-":                           "10.0.0.16/28",
				"cidr-Team":                       "10.0.1.16/28",
				"range-a_b":                       "10.0.2.1-10.0.2.9",
				"range--":                         "10.0.3.1-10.0.3.9",
				"interface-a.":                    "eth0",
				"cidr-" + strings.Repeat("a", 64): "10.0.4.16/28",
				"cidr-" + strings.Repeat("a", 63): "10.0.5.16/28",
			},
			[]string{
				`error: cidr-: no namespace named; did you mean cidr-global?`,
				`error: cidr-Team: "Team" is not a namespace name (RFC 1123 label); did you mean cidr-team?`,
				`error: cidr-` + strings.Repeat("a", 64) + `: "` + strings.Repeat("a", 64) + `" is not a namespace name (RFC 1123 label: 1 to 63 of a-z, 0-9 and '-', not at the ends)`,
				`error: interface-a.: "a." is not a namespace name (RFC 1123 label: 1 to 63 of a-z, 0-9 and '-', not at the ends)`,
				`error: range--: "-" is not a namespace name (RFC 1123 label: 1 to 63 of a-z, 0-9 and '-', not at the ends)`,
				`error: range-a_b: "a_b" is not a namespace name (RFC 1123 label: 1 to 63 of a-z, 0-9 and '-', not at the ends)`,
			},
		},
		{
			"unknown keys",
			map[string]string{
				"cidrs-global":     "10.0.0.0/24",
				"CIDR-team-a":      "10.0.0.0/24",
				"rnage-team-a":     "10.0.0.0/24",
				"range_global":     "x",
				"allowshare-a":     "x",
				"search_order":     "x",
				"searchOrder":      "x",
				"skip-end-ip-cidr": "x",
				"kubevip-services": "x",
				"two\nlines":       "x",
			},
			[]string{
				`warning: CIDR-team-a: unknown key, without effect; did you mean cidr-team-a?`,
				`warning: allowshare-a: unknown key, without effect; did you mean allow-share-a?`,
				`warning: cidrs-global: unknown key, without effect; did you mean cidr-global?`,
				`warning: kubevip-services: unknown key, without effect`,
				`warning: range_global: unknown key, without effect; did you mean range-global?`,
				`warning: rnage-team-a: unknown key, without effect; did you mean range-team-a?`,
				`warning: searchOrder: unknown key, without effect; did you mean search-order?`,
				`warning: search_order: unknown key, without effect; did you mean search-order?`,
				`warning: skip-end-ip-cidr: unknown key, without effect; did you mean skip-end-ips-in-cidr?`,
				`warning: "two\nlines": unknown key, without effect`,
			},
		},
		{
			"single values",
			map[string]string{
				"cidr-a":               "10.0.0.16/28",
				"allow-share-a":        "yes",
				"allow-share-global":   "",
				"search-order":         "descending",
				"skip-end-ips-in-cidr": "on",
			},
			[]string{
				`error: allow-share-a "yes": must be "true" or "false"`,
				`error: allow-share-global: must be "true" or "false"`,
				`error: search-order "descending": must be "asc" or "desc"`,
				`error: skip-end-ips-in-cidr "on": must be "true" or "false"`,
			},
		},
		{
			"interfaces",
			map[string]string{
				"cidr-global": "10.0.0.16/28",
				"interface-a": "sixteen-bytes-xx",
				"interface-b": "eth0/1",
				"interface-c": "eth0,eth1",
				"interface-d": "..",
				"interface-e": "",
				"interface-f": "eth0:1",
				"interface-g": "fifteen-bytes-x",
			},
			[]string{
				`error: interface-a "sixteen-bytes-xx": not an interface name: 16 bytes, at most 15`,
				`error: interface-b "eth0/1": not an interface name: no '/', ':' or white space`,
				`error: interface-c "eth0,eth1": names more than one interface`,
				`error: interface-d "..": not an interface name`,
				`error: interface-e: no interface named`,
				`error: interface-f "eth0:1": not an interface name: no '/', ':' or white space`,
			},
		},
		{
			"announcements",
			map[string]string{
				"cidr-global":     "10.0.0.16/28",
				"announce-global": "l2, bpg",
				"announce-a":      "",
				"announce-b":      "l2,,bgp",
				"announce-c":      "l2\t,l2,\nl2",
				"announce-d":      "L2",
				"announce-e":      " bgp , l2 ",
				"anounce-f":       "bgp",
				"bgp.yaml":        "localASN: 64512\npeers: [{name: a, address: 192.0.2.1, asn: 64500}]",
			},
			[]string{
				`error: announce-a[1]: must be "l2", "bgp" or both, separated by a comma`,
				`error: announce-b[2]: must be "l2", "bgp" or both, separated by a comma`,
				`warning: announce-c[2] "l2": named twice`,
				`warning: announce-c[3] "l2": named twice`,
				`error: announce-d[1] "L2": must be "l2", "bgp" or both, separated by a comma`,
				`error: announce-global[2] "bpg": must be "l2", "bgp" or both, separated by a comma`,
				`warning: anounce-f: unknown key, without effect; did you mean announce-f?`,
			},
		},
		{
			"announced by BGP without routers",
			map[string]string{"cidr-global": "10.0.0.16/28", "announce-global": "l2,bgp", "announce-a": "bgp", "bgp.yml": "localASN: 64512"},
			[]string{
				`error: announce-a: bgp, and there is no bgp.yaml that names routers; these addresses would be silent`,
				`error: announce-global: bgp, and there is no bgp.yaml that names routers; these addresses would be silent`,
				`warning: bgp.yml: unknown key, without effect; did you mean bgp.yaml?`,
			},
		},
		{
			"routers, and nothing for them",
			map[string]string{"cidr-global": "10.0.0.16/28", "bgp.yaml": "localASN: 64512\npeers: [{name: a, address: 192.0.2.1, asn: 64500}]"},
			[]string{`warning: bgp.yaml: no Service's address is told: no announce-global or announce-<namespace> says bgp`},
		},
		{
			"announcements without a pool",
			map[string]string{"cidr-a": "10.0.0.16/28", "announce-b": "l2", "announce-global": "l2"},
			[]string{`warning: announce-b: without effect: there is no cidr-b or range-b`},
		},
		{
			"routers and pools",
			map[string]string{
				"cidr-global": "10.0.0.0/28", "cidr-a": "10.0.1.0/28", "cidr-b": "10.0.2.0/28", "announce-a": "bgp", "announce-c": "bgp", "skip-end-ips-in-cidr": "true",
				"bgp.yaml": `localASN: 64512
peers: [{name: a, address: 192.0.2.1, asn: 0}]
advertisements:
- {name: a, pools: [a, global, b, d]}
- {name: b, aggregationLength: {ipv4: 24}}
- {name: c, pools: [a], aggregationLength: {ipv4: 28}}
`,
			},
			[]string{
				`error: bgp.yaml:2:44 "0": AS 0 is nobody's (RFC 7607)`,
				`warning: bgp.yaml:4:32 "b": none of this pool's addresses is announced by bgp: announce-b does not say so`,
				`warning: bgp.yaml:4:35 "d": there is no such pool`,
				`warning: bgp.yaml:5:39 "24": tells of 10.0.1.0/24, which is more than the pool a has`,
				`warning: bgp.yaml:5:39 "24": tells of 10.0.0.0/24, which is more than the pool global has`,
			},
		},
		{
			"entries that overlap in one pool",
			map[string]string{
				"cidr-a":  "10.0.0.16/28,10.0.0.16/28,10.0.0.8/29,2001:db8::10/124",
				"range-a": "10.0.0.20-10.0.0.40,10.0.0.30-10.0.0.31,10.0.0.64-10.0.0.70,2001:db8::1f-2001:db8::2f",
				"cidr-b":  "10.9.0.16/28",
			},
			[]string{
				`warning: cidr-a[2] "10.0.0.16/28": overlaps cidr-a[1] "10.0.0.16/28"`,
				`warning: range-a[1] "10.0.0.20-10.0.0.40": overlaps cidr-a[1] "10.0.0.16/28"`,
				`warning: range-a[2] "10.0.0.30-10.0.0.31": overlaps range-a[1] "10.0.0.20-10.0.0.40"`,
				`warning: range-a[4] "2001:db8::1f-2001:db8::2f": overlaps cidr-a[4] "2001:db8::10/124"`,
			},
		},
		{
			"pools that overlap",
			map[string]string{
				"cidr-global":    "10.0.0.0/16,2001:db8::/64",
				"exclude-global": "10.0.7.0/24,10.0.0.0,10.0.255.255,2001:db8::",
				"cidr-carved":    "10.0.7.16/28",
				"range-a":        "10.0.1.1-10.0.1.9,10.0.2.1-10.0.2.9",
				"range-b":        "192.168.0.1-192.168.0.9,10.0.1.9-10.0.1.12",
				"cidr-c":         "2001:db8::10/124",
			},
			[]string{
				`warning: cidr-c[1] "2001:db8::10/124": overlaps cidr-global[2] "2001:db8::/64": both pools hold 2001:db8::10/124`,
				`warning: range-a[1] "10.0.1.1-10.0.1.9": overlaps cidr-global[1] "10.0.0.0/16": both pools hold 10.0.1.1-10.0.1.9`,
				`warning: range-b[2] "10.0.1.9-10.0.1.12": overlaps cidr-global[1] "10.0.0.0/16": both pools hold 10.0.1.9-10.0.1.12`,
				`warning: range-b[2] "10.0.1.9-10.0.1.12": overlaps range-a[1] "10.0.1.1-10.0.1.9": both pools hold 10.0.1.9`,
			},
		},
		{
			"excludes",
			map[string]string{
				"cidr-a":    "10.0.0.16/28",
				"range-a":   "10.0.0.40-10.0.0.50",
				"exclude-a": "10.0.0.31,10.0.0.32,10.0.0.33-10.0.0.39,10.0.0.32/28,2001:db8::/32,10.0.0.32-10.0.0.40",
				"cidr-b":    "10.0.1.16/28",
				"exclude-b": "10.0.1.0/24",
				"cidr-c":    "10.0.2.16/28",
				"exclude-c": " ",
				"exclude-d": "10.0.0.1",
				"cidr-e":    "10.0.5.16/28,10.0.6.1/28",
				"exclude-e": "10.0.6.1,10.0.6.1/28",
			},
			[]string{
				`warning: cidr-b: no address is left after exclude-b; Services of this scope get none`,
				`error: cidr-e[2] "10.0.6.1/28": host bits set; did you mean 10.0.6.0/28?`,
				`warning: exclude-a[2] "10.0.0.32": excludes nothing: none of these addresses is in cidr-a or range-a`,
				`warning: exclude-a[3] "10.0.0.33-10.0.0.39": excludes nothing: none of these addresses is in cidr-a or range-a`,
				`warning: exclude-a[5] "2001:db8::/32": excludes nothing: none of these addresses is in cidr-a or range-a`,
				`warning: exclude-c: empty; nothing is excluded`,
				`warning: exclude-d: without effect: there is no cidr-d or range-d`,
				`error: exclude-e[2] "10.0.6.1/28": host bits set; did you mean 10.0.6.0/28?`,
			},
		},
		{
			"keys without a pool",
			map[string]string{
				"cidr-a":             "10.0.0.16/28",
				"allow-share-b":      "true",
				"interface-b":        "eth0",
				"interface-global":   "eth1",
				"allow-share-global": "true",
			},
			[]string{
				`warning: allow-share-b: without effect: there is no cidr-b or range-b`,
				`warning: interface-b: without effect: there is no cidr-b or range-b`,
			},
		},
		{
			"no pool at all",
			map[string]string{"interface-global": "eth1", "allow-share-global": "true", "exclude-global": "10.0.0.1"},
			[]string{
				`warning: allow-share-global: without effect: there is no cidr-global or range-global`,
				`warning: exclude-global: without effect: there is no cidr-global or range-global`,
				`warning: interface-global: without effect: there is no cidr-global or range-global`,
			},
		},
		{
			"empty lists",
			map[string]string{"cidr-a": "", "range-b": " \n", "cidr-c": "10.0.0.16/28,"},
			[]string{
				`error: cidr-a: empty; name addresses, or remove the key`,
				`error: cidr-c[2]: empty entry`,
				`error: range-b: empty; name addresses, or remove the key`,
			},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, faults := config.Parse(test.data)
			if diff := cmp.Diff(test.want, lines(faults)); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
			if invalid := faults.Err() != nil; invalid != (got == nil) {
				t.Errorf("config %v beside error %v", got, faults.Err())
			}
		})
	}
}

func lines(faults config.Faults) []string {
	var text []string
	for _, fault := range faults {
		text = append(text, fault.Severity.String()+": "+fault.String())
	}
	return text
}

func TestFaultPlace(t *testing.T) {
	value := " 10.0.0.0/29,\n  10.0.1.0/33 ,,2001:db8::1/64\n"
	_, faults := config.Parse(map[string]string{"cidr-a": value})
	want := config.Faults{
		{Severity: config.Warning, Key: "cidr-a", Position: 1, Column: 2, Value: "10.0.0.0/29"},
		{Severity: config.Error, Key: "cidr-a", Position: 2, Column: 17, Value: "10.0.1.0/33"},
		{Severity: config.Error, Key: "cidr-a", Position: 3, Column: 30},
		{Severity: config.Error, Key: "cidr-a", Position: 4, Column: 31, Value: "2001:db8::1/64"},
	}
	for i := range faults {
		faults[i].Reason = ""
	}
	if diff := cmp.Diff(want, faults); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
}

// A value of the greatest size that a ConfigMap holds costs a bounded answer.
func TestFaultsAreBounded(t *testing.T) {
	const size = 1 << 20
	for _, data := range []map[string]string{
		{"cidr-a": strings.Repeat(",", size)},
		{"cidr-a": strings.Repeat("x", size)},
		{"cidr-a": strings.Repeat("10.0.0.16/28,", size/13) + "10.0.0.1/28"},
		{strings.Repeat("-", size): "x"},
	} {
		_, faults := config.Parse(data)
		if n := len(faults); n == 0 || n > 1001 {
			t.Errorf("%d faults", n)
		}
		total := 0
		for _, fault := range faults {
			total += len(fault.String())
		}
		if total > 1<<18 {
			t.Errorf("%d bytes of text", total)
		}
		if err := faults.Err(); err != nil && len(err.Error()) > 2048 {
			t.Errorf("an error of %d bytes", len(err.Error()))
		}
	}
}

func TestErr(t *testing.T) {
	_, faults := config.Parse(map[string]string{"cidr-a": "1,2,3,4,5,6,7", "odd": ""})
	want := `invalid pool configuration: cidr-a[1] "1": not an IP address; cidr-a[2] "2": not an IP address; ` +
		`cidr-a[3] "3": not an IP address; cidr-a[4] "4": not an IP address; cidr-a[5] "5": not an IP address; and 2 more`
	if err := faults.Err(); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := faults.Warnings().Err(); err != nil {
		t.Errorf("warnings alone are no error, got %v", err)
	}
	if n := len(faults.Warnings()); n != 1 {
		t.Errorf("%d warnings, want 1", n)
	}
}
