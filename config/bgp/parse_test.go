package bgp_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go4.org/netipx"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/heraldlb/herald/config/bgp"
)

// head is what a bgp.yaml begins with, so that faults stand from line 3 on.
const head = "localASN: 64512\npeers: [{name: x, address: 10.9.9.9, asn: 64500}]\n"

// peer makes a bgp.yaml of one peer, whose keys stand from line 3 on.
func peer(keys ...string) string {
	return "localASN: 64512\npeers: [{\n" + strings.Join(keys, ",\n") + "\n}]\n"
}

// good is a peer's keys without a fault.
const good = "name: a, address: 10.0.0.1, asn: 64500"

// communities are standard ones, from a number on and below another.
func communities(from, to int) string {
	var all []string
	for i := from; i < to; i++ {
		all = append(all, fmt.Sprintf("64512:%d", i))
	}
	return strings.Join(all, ", ")
}

func TestFaults(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"no fault", peer(good), nil},
		{"nothing", "", []string{"error: bgp.yaml:1:1: empty; it has at least localASN and peers"}},
		{"a comment alone", "# later\n", []string{"error: bgp.yaml:1:1: empty; it has at least localASN and peers"}},
		{"null", "--- ~\n", []string{`error: bgp.yaml:1:5 "~": empty; it has at least localASN and peers`}},
		{"no map", "- localASN: 1\n", []string{"error: bgp.yaml:1:1: not a map"}},
		{"two documents", "localASN: 64512\npeers: [{" + good + "}]\n---\nlocalASN: 1\n", []string{"error: bgp.yaml:3:1: a second document; there is one"}},
		{"a broken second document", "localASN: 64512\n---\n[\n", []string{"error: bgp.yaml:3:1: not YAML: did not find expected node content"}},
		{"tabs", "localASN: 64512\npeers:\n\t- name: a\n", []string{"error: bgp.yaml:3:2: not YAML: found character that cannot start any token"}},
		{"bad indentation", "localASN: 64512\npeers:\n  - name: a\n   asn: 1\n", []string{"error: bgp.yaml:4:4: not YAML: did not find expected '-' indicator"}},
		{"no UTF-8", "localASN: \xff\n", []string{"error: bgp.yaml:1:1: not YAML: invalid leading UTF-8 octet"}},
		{
			"keys", "localASN: 64512\nlocalasn: 1\nlocalASN: 2\nbfd: true\n? [a]\n: b\n<<: {peers: []}\nrouterID:\npeers: [{" + good + "}]\n",
			[]string{
				`error: bgp.yaml:2:1 "localasn": unknown key; did you mean localASN?`,
				`error: bgp.yaml:3:1 "localASN": the key is there twice, first on line 1`,
				`error: bgp.yaml:4:1 "bfd": unknown key`,
				`error: bgp.yaml:5:3: not a key`,
				`error: bgp.yaml:7:1 "<<": YAML's aliases and merges are not read here; write it out`,
				`error: bgp.yaml:8:10: nothing there; write a value, or remove it`,
			},
		},
		{"no local AS", "peers: [{" + good + "}]\n", []string{`error: bgp.yaml:1:1: no localASN`}},
		{"aliases", "localASN: &as 64512\npeers: [{name: a, address: 10.0.0.1, asn: *as}]\n", []string{`error: bgp.yaml:2:43 "as": YAML's aliases and merges are not read here; write it out`}},
		{"no peer", "localASN: 64512\n", []string{`warning: bgp.yaml:1:11 "64512": no peer: only nodes with the annotation heraldlb.io/bgp-peers have one`}},
		{"an empty list of peers", "localASN: 64512\npeers: []\n", []string{`warning: bgp.yaml:2:8: no peer: only nodes with the annotation heraldlb.io/bgp-peers have one`}},
		{"no list of peers", "localASN: 64512\npeers: {name: a}\n", []string{`error: bgp.yaml:2:8: not a list`}},
		{
			"items", "localASN: 64512\npeers:\n- a\n-\n- [b]\n",
			[]string{`error: bgp.yaml:3:3 "a": not a map`, `error: bgp.yaml:4:2: nothing there; write a value, or remove it`, `error: bgp.yaml:5:3: not a map`},
		},
		{
			"AS numbers", peer("name: a, address: 10.0.0.1, asn: 0", "localASN: 4294967295") +
				"#\n", []string{
				`error: bgp.yaml:3:34 "0": AS 0 is nobody's (RFC 7607)`,
				`error: bgp.yaml:4:11 "4294967295": AS 4294967295 is reserved (RFC 7300)`,
			},
		},
		{"AS_TRANS", "localASN: 23456\npeers: []\n", []string{
			`error: bgp.yaml:1:11 "23456": AS 23456 stands for numbers above 65535 towards old routers (RFC 6793); name the AS itself`,
			`warning: bgp.yaml:2:8: no peer: only nodes with the annotation heraldlb.io/bgp-peers have one`,
		}},
		{"the last AS of two octets", peer("name: a, address: 10.0.0.1", "asn: 65535"), []string{`error: bgp.yaml:4:6 "65535": AS 65535 is reserved (RFC 7300)`}},
		{"an AS too large", peer("name: a, address: 10.0.0.1", "asn: 4294967296"), []string{`error: bgp.yaml:4:6 "4294967296": not an AS number: those are from 1 to 4294967294 (RFC 6793)`}},
		{"a negative AS", peer("name: a, address: 10.0.0.1", "asn: -1"), []string{`error: bgp.yaml:4:6 "-1": not an AS number: those are from 1 to 4294967294 (RFC 6793)`}},
		{"an AS in hexadecimal", peer("name: a, address: 10.0.0.1", "asn: 0xfc00"), []string{`error: bgp.yaml:4:6 "0xfc00": not an AS number: those are from 1 to 4294967294 (RFC 6793)`}},
		{"an AS in quotes", peer("name: a, address: 10.0.0.1", `asn: "64500"`), []string{`error: bgp.yaml:4:6 "64500": not a number; numbers have no quotes`}},
		{"an AS of two numbers", peer("name: a, address: 10.0.0.1", "asn: 65536.1"), []string{`error: bgp.yaml:4:6 "65536.1": not an AS number; with a dot it is two numbers from 0 to 65535 (RFC 5396)`}},
		{"AS 0.0", peer("name: a, address: 10.0.0.1", "asn: 0.0"), []string{`error: bgp.yaml:4:6 "0.0": AS 0 is nobody's (RFC 7607)`}},
		{"a list as AS", peer("name: a, address: 10.0.0.1", "asn: [1]"), []string{`error: bgp.yaml:4:6: not one value`}},
		{"a boolean as AS", peer("name: a, address: 10.0.0.1", "asn: true"), []string{`error: bgp.yaml:4:6 "true": not a number`}},
		{"router ID of IPv6", head + "routerID: 2001:db8::1", []string{`error: bgp.yaml:3:11 "2001:db8::1": a router ID has the form of an IPv4 address, with IPv6 too (RFC 4271 section 4.2)`}},
		{"router ID 0.0.0.0", head + "routerID: 0.0.0.0", []string{`error: bgp.yaml:3:11 "0.0.0.0": no host's address, so routers refuse it as router ID`}},
		{"router ID of a group", head + "routerID: 224.0.0.5", []string{`error: bgp.yaml:3:11 "224.0.0.5": no host's address, so routers refuse it as router ID`}},
		{"router ID as a number", head + "routerID: 12", []string{`error: bgp.yaml:3:11 "12": not a string; write "12", with the quotes`}},
		{"router ID as nonsense", head + "routerID: node", []string{`error: bgp.yaml:3:11 "node": not an IP address`}},

		{"no name and AS", peer("address: 10.0.0.1"), []string{`error: bgp.yaml:2:9: no name`, `error: bgp.yaml:2:9: no asn`}},
		{"a name with spaces", peer("address: 10.0.0.1, asn: 1", "name: the router"), []string{`error: bgp.yaml:4:7 "the router": not a name: 1 to 63 letters, digits, '-', '_' and '.'`}},
		{"a name as a number", peer("address: 10.0.0.1, asn: 1", "name: 12"), []string{`error: bgp.yaml:4:7 "12": not a string; write "12", with the quotes`}},
		{"a name as a date", peer("address: 10.0.0.1, asn: 1", "name: 2026-01-01"), []string{`error: bgp.yaml:4:7 "2026-01-01": not a string`}},
		{"neither address nor interface", peer("name: a, asn: 64500"), []string{`error: bgp.yaml:2:9: neither address nor interface`}},
		{"both", peer(good, "interface: eth0"), []string{`error: bgp.yaml:4:12 "eth0": both address and interface; for a link-local address write address: ADDRESS%INTERFACE`}},
		{"an interface that cannot be", peer("name: a, asn: 1", "interface: a/b"), []string{`error: bgp.yaml:4:12 "a/b": not an interface name: 1 to 15 bytes without '/', ':' and white space`}},
		{"an address that is none", peer("name: a, asn: 1", "address: router.example.com"), []string{`error: bgp.yaml:4:10 "router.example.com": not an IP address`}},
		{"a prefix", peer("name: a, asn: 1", "address: 10.0.0.1/24"), []string{`error: bgp.yaml:4:10 "10.0.0.1/24": not an IP address: it has no prefix length`}},
		{"mapped", peer("name: a, asn: 1", `address: "::ffff:10.0.0.1"`), []string{`error: bgp.yaml:4:10 "::ffff:10.0.0.1": IPv4-mapped IPv6 address; did you mean 10.0.0.1?`}},
		{"link-local without a zone", peer("name: a, asn: 1", "address: fe80::1"), []string{`error: bgp.yaml:4:10 "fe80::1": link-local; on which interface? such as fe80::1%eth0`}},
		{"a zone that is no interface", peer("name: a, asn: 1", "address: fe80::1%eth0/1"), []string{`error: bgp.yaml:4:10 "fe80::1%eth0/1": zone: not an interface name: 1 to 15 bytes without '/', ':' and white space`}},
		{"a zone elsewhere", peer("name: a, asn: 1", "address: 2001:db8::1%eth0"), []string{`error: bgp.yaml:4:10 "2001:db8::1%eth0": has a zone, which only link-local addresses have`}},
		{"a group", peer("name: a, asn: 1", "address: ff02::1%eth0"), []string{`error: bgp.yaml:4:10 "ff02::1%eth0": no host's address`}},
		{"broadcast", peer("name: a, asn: 1", "address: 255.255.255.255"), []string{`error: bgp.yaml:4:10 "255.255.255.255": no host's address`}},
		{"unspecified", peer("name: a, asn: 1", "address: 0.0.0.0"), []string{`error: bgp.yaml:4:10 "0.0.0.0": no host's address`}},
		{"port 0", peer(good, "port: 0"), []string{`error: bgp.yaml:4:7 "0": not a number from 1 to 65535`}},
		{"port 65536", peer(good, "port: 65536"), []string{`error: bgp.yaml:4:7 "65536": not a number from 1 to 65535`}},
		{"one hop", peer(good, "multihop: 1"), []string{`error: bgp.yaml:4:11 "1": one hop is a link away; remove it`}},
		{"too many hops", peer(good, "multihop: 256"), []string{`error: bgp.yaml:4:11 "256": neither true nor false nor a TTL from 2 to 255`}},
		{"hops to the link", peer("name: a, asn: 64500, address: fe80::1%eth0", "multihop: true"), []string{`error: bgp.yaml:4:11 "true": a link-local router is on the link; remove it`}},
		{"hops to an interface", peer("name: a, asn: 64500, interface: eth0", "multihop: true"), []string{`error: bgp.yaml:4:11 "true": an unnumbered router is on the link; remove it`}},
		{"hops inside an AS", peer("name: a, asn: 64512, address: 10.0.0.1", "multihop: 4"), []string{`warning: bgp.yaml:4:11 "4": without effect: a session inside an AS is not bound to one hop`}},
		{"hops inside an AS, with BFD", peer("name: a, asn: 64512, address: 10.0.0.1", "multihop: 4, bfd: true"), nil},
		{"hops inside the AS towards one peer", peer("name: a, asn: 64500, localASN: 64500, address: 10.0.0.1", "multihop: 4"), []string{`warning: bgp.yaml:4:11 "4": without effect: a session inside an AS is not bound to one hop`}},
		{"a password's key", peer(good, "passwordKey: a b"), []string{`error: bgp.yaml:4:14 "a b": not a key of a Secret: 1 to 253 letters, digits, '-', '_' and '.'`}},
		{"the password itself", peer(good, "password: secret"), []string{`error: bgp.yaml:4:1 "password": unknown key; did you mean passwordKey?`}},

		{"hold time of a second", peer(good, "holdTime: 1s"), []string{`error: bgp.yaml:4:11 "1s": neither 0 nor at least 3s (RFC 4271 section 4.2)`}},
		{"hold time too long", peer(good, "holdTime: 65536s"), []string{`error: bgp.yaml:4:11 "65536s": not from 0s to 65535s`}},
		{"hold time in milliseconds", peer(good, "holdTime: 3500ms"), []string{`error: bgp.yaml:4:11 "3500ms": not in whole seconds`}},
		{"hold time without a unit", peer(good, "holdTime: 90"), []string{`error: bgp.yaml:4:11 "90": has no unit; did you mean 90s?`}},
		{"hold time as nonsense", peer(good, "holdTime: long"), []string{`error: bgp.yaml:4:11 "long": not a duration such as 90s, 1m30s or 300ms`}},
		{"negative hold time", peer(good, "holdTime: -3s"), []string{`error: bgp.yaml:4:11 "-3s": not from 0s to 65535s`}},
		{"no hold time", peer(good, "holdTime: 0s"), []string{`warning: bgp.yaml:4:11 "0s": without a hold time or bfd, nobody notices that the router is dead`}},
		{"keepalives without a hold time", peer(good, "holdTime: 0s, bfd: true", "keepaliveTime: 3s"), []string{`warning: bgp.yaml:5:16 "3s": without effect: no keepalives are sent with a hold time of 0 (RFC 4271 section 4.4)`}},
		{"few keepalives", peer(good, "holdTime: 9s", "keepaliveTime: 4s"), []string{`warning: bgp.yaml:5:16 "4s": longer than a third of the hold time of 9s (RFC 4271 section 10): few lost packets end the session`}},
		{"keepalives too late", peer(good, "keepaliveTime: 90s"), []string{`error: bgp.yaml:4:16 "90s": not shorter than the hold time of 1m30s: the session would not last`}},
		{"no keepalives", peer(good, "keepaliveTime: 0s"), []string{`error: bgp.yaml:4:16 "0s": not from 1s to 65535s`}},
		{"connect time", peer(good, "connectTime: 0s"), []string{`error: bgp.yaml:4:14 "0s": not from 1s to 65535s`}},
		{"BFD, fast", peer(good, "bfd: {interval: 9ms}"), []string{`error: bgp.yaml:4:17 "9ms": not from 10ms to 10s`}},
		{"BFD, slow", peer(good, "bfd: {interval: 11s}"), []string{`error: bgp.yaml:4:17 "11s": not from 10ms to 10s`}},
		{"BFD, below a microsecond", peer(good, "bfd: {interval: 10000001ns}"), []string{`error: bgp.yaml:4:17 "10000001ns": not in whole microseconds, as BFD has it (RFC 5880 section 4.1)`}},
		{"BFD, no multiplier", peer(good, "bfd: {multiplier: 0}"), []string{`error: bgp.yaml:4:19 "0": not a number from 2 to 255`}},
		{"BFD, multiplier of one", peer(good, "bfd: {multiplier: 1}"), []string{`error: bgp.yaml:4:19 "1": not a number from 2 to 255`}},
		{"BFD, multiplier too large", peer(good, "bfd: {multiplier: 256}"), []string{`error: bgp.yaml:4:19 "256": not a number from 2 to 255`}},
		{"BFD, neither", peer(good, "bfd: fast"), []string{`error: bgp.yaml:4:6 "fast": neither true nor false nor a map of interval and multiplier`}},
		{"BFD, unknown key", peer(good, "bfd: {minInterval: 50ms}"), []string{`error: bgp.yaml:4:7 "minInterval": unknown key`}},
		{"BFD, a list", peer(good, "bfd: [50ms, 3]"), []string{`error: bgp.yaml:4:6: not a map`}},
		{"graceful restart too long", peer(good, "gracefulRestart: 4096s"), []string{`error: bgp.yaml:4:18 "4096s": not from 0s to 4095s`}},
		{"graceful restart without a unit", peer(good, "gracefulRestart: 120"), []string{`error: bgp.yaml:4:18 "120": has no unit; did you mean 120s?`}},
		{"source of another family", peer(good, "sourceAddress: 2001:db8::2"), []string{`error: bgp.yaml:4:16 "2001:db8::2": not of the family of the router's address 10.0.0.1`}},
		{"source of the router", peer(good, "sourceAddress: 10.0.0.1"), []string{`error: bgp.yaml:4:16 "10.0.0.1": the router's own address`}},
		{"source on the link", peer("name: a, asn: 64500, address: 2001:db8::1", "sourceAddress: fe80::2%eth0"), []string{`error: bgp.yaml:4:16 "fe80::2%eth0": link-local, and the router's address 2001:db8::1 is not`}},
		{"source on another link", peer("name: a, asn: 64500, address: fe80::1%eth0", "sourceAddress: fe80::2%eth1"), []string{`error: bgp.yaml:4:16 "fe80::2%eth1": not on the interface of the router's address fe80::1%eth0`}},
		{"source of an unnumbered session", peer("name: a, asn: 64500, interface: eth0", "sourceAddress: fe80::2"), []string{`error: bgp.yaml:4:16 "fe80::2": an unnumbered session is between link-local addresses; remove it`}},
		{
			"selectors", peer(good, "nodeSelector: {matchLabels: {a b: c, d: e f, g: true}, matchExpressions: [{key: k}",
				"{key: k, operator: in}", "{key: k, operator: In}", "{key: k, operator: Exists, values: [a]}", "{operator: Exists}", "{key: k, operator: NotIn, values: [a b]}", "k], matchLabel: {}}"),
			[]string{
				`error: bgp.yaml:4:30 "a b": not a label's key: NAME or DOMAIN/NAME, of at most 63 letters, digits, '-', '_' and '.'`,
				`error: bgp.yaml:4:41 "e f": not a label's value: at most 63 letters, digits, '-', '_' and '.'`,
				`error: bgp.yaml:4:49 "true": not a string; write "true", with the quotes`,
				`error: bgp.yaml:4:75: no operator`,
				`error: bgp.yaml:5:20 "in": not one of In, NotIn, Exists, DoesNotExist; did you mean In?`,
				`error: bgp.yaml:6:20 "In": without values`,
				`error: bgp.yaml:7:36: Exists has no values`,
				`error: bgp.yaml:8:1: no key`,
				`error: bgp.yaml:9:36 "a b": not a label's value: at most 63 letters, digits, '-', '_' and '.'`,
				`error: bgp.yaml:10:1 "k": not a map`,
				`error: bgp.yaml:10:5 "matchLabel": unknown key; did you mean matchLabels?`,
			},
		},
		{"a selector as a list", peer(good, "nodeSelector: [a]"), []string{`error: bgp.yaml:4:15: not a map`}},
		{"labels twice", peer(good, "nodeSelector: {matchLabels: {a: b, a: c}}"), []string{`error: bgp.yaml:4:36 "a": the key is there twice, first on line 4`}},

		{
			"two of a name", "localASN: 64512\npeers:\n- {name: a, address: 10.0.0.1, asn: 1}\n- {name: a, address: 10.0.0.2, asn: 1}\n",
			[]string{`error: bgp.yaml:4:10 "a": another peer has this name, on line 3`},
		},
		{
			"two of an address", "localASN: 64512\npeers:\n- {name: a, address: fe80::1%eth0, asn: 1}\n- {name: b, address: fe80::1%eth0, asn: 2, port: 1790}\n- {name: c, address: fe80::1%eth1, asn: 1}\n",
			[]string{`error: bgp.yaml:4:22 "fe80::1%eth0": peer "a" on line 3 has it too, and their nodeSelectors do not part them`},
		},
		{
			"two of an interface", "localASN: 64512\npeers:\n- {name: a, interface: eth0, asn: 1}\n- {name: b, interface: eth0, asn: 2, nodeSelector: {matchLabels: {a: b}}}\n",
			[]string{`error: bgp.yaml:4:24 "eth0": peer "a" on line 3 has it too, and their nodeSelectors do not part them`},
		},
		{
			"two of an address on different nodes", "localASN: 64512\npeers:\n- {name: a, address: 10.0.0.1, asn: 1, nodeSelector: {matchLabels: {rack: a}}}\n- {name: b, address: 10.0.0.1, asn: 2, nodeSelector: {matchLabels: {rack: b}}}\n",
			nil,
		},

		{"advertisements as a map", head + "advertisements: {name: a}", []string{`error: bgp.yaml:3:17: not a list`}},
		{"an empty list of advertisements", head + "advertisements: []", []string{`error: bgp.yaml:3:17: empty; remove the key to tell every address to every peer`}},
		{"no name", head + "advertisements: [{pools: [a]}]", []string{`error: bgp.yaml:3:18: no name`}},
		{"two advertisements of a name", head + "advertisements: [{name: a},\n{name: a}]", []string{`error: bgp.yaml:4:8 "a": another advertisement has this name, on line 3`}},
		{"an unknown key", head + "advertisements: [{name: a, community: x}]", []string{`error: bgp.yaml:3:28 "community": unknown key; did you mean communities?`}},
		{"a peer that is not there", head + "advertisements: [{name: a, peers: [y, x]}]", []string{`error: bgp.yaml:3:36 "y": no such peer`}},
		{"a peer twice", head + "advertisements: [{name: a, peers: [x, x]}]", []string{`warning: bgp.yaml:3:39 "x": named twice`}},
		{"peers as a string", head + "advertisements: [{name: a, peers: x}]", []string{`error: bgp.yaml:3:35 "x": not a list`}},
		{"no peers", head + "advertisements: [{name: a, peers: []}]", []string{
			`error: bgp.yaml:3:35: empty; name some, or remove the key for all peers`,
		}},
		{
			"a peer that is told nothing", "localASN: 64512\npeers: [{name: x, address: 10.0.0.1, asn: 1},\n{name: y, address: 10.0.0.2, asn: 1}]\nadvertisements: [{name: a, peers: [x]}]\n",
			[]string{`warning: bgp.yaml:3:8 "y": no advertisement is for this peer: it is told nothing`},
		},
		{"a pool that cannot be", head + "advertisements: [{name: a, pools: [A]}]", []string{`error: bgp.yaml:3:36 "A": not a pool: a pool is named as its namespace is, or global`}},
		{"no pools", head + "advertisements: [{name: a, pools: []}]", []string{`error: bgp.yaml:3:35: empty; name some, or remove the key for all pools`}},
		{
			"more communities than a message has room for",
			head + "advertisements:\n- {name: a, communities: [" + communities(0, 600) + "]}\n- {name: b, communities: [" + communities(300, 900) + "]}\n- {name: c, communities: [1:2:3]}\n",
			[]string{"error: bgp.yaml:6:26: 901 communities, with those of the advertisements before: more than a message has room for, which is 3600 bytes, of 4 each, a large one of 12"},
		},
		{"as many as it has room for", head + "advertisements: [{name: a, communities: [" + communities(0, 900) + "]}]", nil},
		{
			"communities", head + "advertisements: [{name: a, communities: [\n65536:1,\n1:65536,\n1:2:4294967296,\nno-exprt,\nno export,\n4259840100,\n1:2:3:4,\n64512:1,\n64512:1,\nno-export,\n65535:65281,\n1:2:3,\n1:2:3,\n0:0,\n0:0]}]",
			[]string{
				`error: bgp.yaml:4:1 "65536:1": not a standard community: two numbers from 0 to 65535 (RFC 1997); larger ones need a large one, 64512:1:2`,
				`error: bgp.yaml:5:1 "1:65536": not a standard community: two numbers from 0 to 65535 (RFC 1997); larger ones need a large one, 64512:1:2`,
				`error: bgp.yaml:6:1 "1:2:4294967296": not a large community: three numbers from 0 to 4294967295 (RFC 8092)`,
				`error: bgp.yaml:7:1 "no-exprt": not a community such as 64512:100 or 64512:1:2, nor one of blackhole, graceful-shutdown, local-as, no-advertise, no-export, no-export-subconfed; did you mean no-export?`,
				`error: bgp.yaml:8:1 "no export": not a community such as 64512:100 or 64512:1:2, nor one of blackhole, graceful-shutdown, local-as, no-advertise, no-export, no-export-subconfed; did you mean no-export?`,
				`error: bgp.yaml:9:1 "4259840100": not a community; did you mean 65000:100?`,
				`error: bgp.yaml:10:1 "1:2:3:4": not a community such as 64512:100 or 64512:1:2, nor one of blackhole, graceful-shutdown, local-as, no-advertise, no-export, no-export-subconfed`,
				`warning: bgp.yaml:12:1 "64512:1": named twice`,
				`warning: bgp.yaml:14:1 "65535:65281": named twice`,
				`warning: bgp.yaml:16:1 "1:2:3": named twice`,
				`warning: bgp.yaml:18:1 "0:0": named twice`,
			},
		},
		{"local preference outside the AS", head + "advertisements: [{name: a, localPreference: 200}]", []string{`warning: bgp.yaml:3:45 "200": without effect: it goes to peers of the own AS only (RFC 4271 section 5.1.5), and all of these are of another; med or asPathPrepend may do`}},
		{"local preference too large", head + "advertisements: [{name: a, localPreference: 4294967296}]", []string{`error: bgp.yaml:3:45 "4294967296": not a number from 0 to 4294967295`}},
		{"negative MED", head + "advertisements: [{name: a, med: -1}]", []string{`error: bgp.yaml:3:33 "-1": not a number from 0 to 4294967295`}},
		{"MED in parts", head + "advertisements: [{name: a, med: 1.5}]", []string{`error: bgp.yaml:3:33 "1.5": not a number from 0 to 4294967295`}},
		{"too long a path", head + "advertisements: [{name: a, asPathPrepend: 33}]", []string{`error: bgp.yaml:3:43 "33": not a number from 0 to 32`}},
		{"lengths", head + "advertisements: [{name: a, aggregationLength: {ipv4: 0, ipv6: 129, ip: 1}}]", []string{
			`error: bgp.yaml:3:54 "0": not a number from 1 to 32`,
			`error: bgp.yaml:3:63 "129": not a number from 1 to 128`,
			`error: bgp.yaml:3:68 "ip": unknown key`,
		}},
		{"one length for both", head + "advertisements: [{name: a, aggregationLength: 24}]", []string{`error: bgp.yaml:3:47 "24": not a map`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, faults := bgp.Parse(test.text)
			var got []string
			for _, f := range faults {
				got = append(got, f.Severity.String()+": "+f.String())
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
			if (c == nil) != (faults.Err() != nil) {
				t.Errorf("config %v beside %v", c, faults)
			}
		})
	}
}

func TestParse(t *testing.T) {
	got, faults := bgp.Parse(`
localASN: 1.10
routerID: 192.0.2.1
peers:
- {name: b, interface: eth1.100, asn: 64501, bfd: true, gracefulRestart: false, holdTime: 0s, keepaliveTime: 1s}
- name: a
  address: fe80::1%eth0
  asn: 65546
  localASN: 64512
  port: 1179
  passwordKey: a.key
  holdTime: 10s
  connectTime: 1m
  bfd: {interval: 50ms, multiplier: 2}
  gracefulRestart: 4095s
  sourceAddress: fe80::2
  nodeSelector:
    matchLabels: {rack: a}
    matchExpressions:
    - {key: zone, operator: NotIn, values: [x, "y"]}
    - {key: gone, operator: DoesNotExist}
- {name: c, address: 2001:db8::1, asn: 64502, multihop: true, bfd: false, gracefulRestart: true, holdTime: 30s, keepaliveTime: 10s}
- {name: d, address: 192.0.2.9, asn: 65546, multihop: 2}
advertisements:
- {name: z}
- name: y
  pools: [shop, global]
  serviceSelector: {matchLabels: {tier: front}}
  nodeSelector: {matchExpressions: [{key: edge, operator: Exists}]}
  peers: [d, c]
  communities: [no-export, 64512:100, "64512:1:2", graceful-shutdown, 1:2:3]
  localPreference: 0
  med: 4294967295
  asPathPrepend: 3
  aggregationLength: {ipv4: 24}
`)
	if len(faults.Errors()) > 0 {
		t.Fatal(faults)
	}
	selector := func(text string) labels.Selector {
		s, err := labels.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	zero, most := uint32(0), uint32(4294967295)
	want := &bgp.Config{
		LocalASN: 65546,
		RouterID: netip.MustParseAddr("192.0.2.1"),
		Peers: []bgp.Peer{
			{
				Name: "a", Address: netip.MustParseAddr("fe80::1%eth0"), ASN: 65546, LocalASN: 64512, Port: 1179, PasswordKey: "a.key",
				HoldTime: 10 * time.Second, KeepaliveTime: 3 * time.Second, ConnectTime: time.Minute,
				BFD: &bgp.BFD{Interval: 50 * time.Millisecond, Multiplier: 2}, GracefulRestart: 4095 * time.Second,
				SourceAddress: netip.MustParseAddr("fe80::2"), Nodes: selector("rack=a,zone notin (x,y),!gone"),
			},
			{
				Name: "b", Interface: "eth1.100", ASN: 64501, Port: 179, ConnectTime: bgp.DefaultConnectTime,
				BFD: &bgp.BFD{Interval: bgp.DefaultBFDInterval, Multiplier: bgp.DefaultBFDMultiplier}, Nodes: labels.Everything(),
			},
			{
				Name: "c", Address: netip.MustParseAddr("2001:db8::1"), ASN: 64502, Port: 179, Multihop: 255,
				HoldTime: 30 * time.Second, KeepaliveTime: 10 * time.Second, ConnectTime: bgp.DefaultConnectTime,
				GracefulRestart: bgp.DefaultGracefulRestart, Nodes: labels.Everything(),
			},
			{
				Name: "d", Address: netip.MustParseAddr("192.0.2.9"), ASN: 65546, Port: 179, Multihop: 2,
				HoldTime: bgp.DefaultHoldTime, KeepaliveTime: 30 * time.Second, ConnectTime: bgp.DefaultConnectTime,
				GracefulRestart: bgp.DefaultGracefulRestart, Nodes: labels.Everything(),
			},
		},
		Advertisements: []bgp.Advertisement{
			{
				Name: "y", Pools: []string{"global", "shop"}, Services: selector("tier=front"), Nodes: selector("edge"), Peers: []string{"c", "d"},
				Attributes: bgp.Attributes{
					Communities: []uint32{64512<<16 | 100, 0xffff0000, 0xffffff01}, LargeCommunities: []bgp.LargeCommunity{{1, 2, 3}, {64512, 1, 2}},
					LocalPreference: &zero, MED: &most, Prepend: 3,
				},
				AggregationLength4: 24, AggregationLength6: 128,
			},
			{Name: "z", Services: labels.Everything(), Nodes: labels.Everything(), AggregationLength4: 32, AggregationLength6: 128},
		},
	}
	if diff := cmp.Diff(want, got, compareBySelf()...); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
}

// compareBySelf compares addresses, and selectors by what they say.
func compareBySelf() []cmp.Option {
	return []cmp.Option{
		cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
		cmp.Comparer(func(a, b labels.Selector) bool {
			return a == nil && b == nil || a != nil && b != nil && a.String() == b.String()
		}),
	}
}

func TestParseBeside(t *testing.T) {
	set := func(prefixes ...string) *netipx.IPSet {
		var b netipx.IPSetBuilder
		for _, p := range prefixes {
			b.AddPrefix(netip.MustParsePrefix(p))
		}
		s, err := b.IPSet()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	pools := []bgp.Pool{
		{Scope: "global", Announced: true, Addresses: set("10.0.0.0/24", "2001:db8::/64")},
		{Scope: "shop", Announced: true, Addresses: set("10.0.1.16/28")},
		{Scope: "quiet", Addresses: set("10.0.2.16/28")},
	}
	tests := []struct {
		name, advertisement string
		want                []string
	}{
		{"all", "{name: a}", nil},
		{"those there are", "{name: a, pools: [global, shop]}", nil},
		{"none such", "{name: a, pools: [shops, nobody]}", []string{
			`warning: bgp.yaml:3:36 "shops": there is no such pool; did you mean shop?`,
			`warning: bgp.yaml:3:43 "nobody": there is no such pool`,
		}},
		{"one that is quiet", "{name: a, pools: [quiet]}", []string{`warning: bgp.yaml:3:36 "quiet": none of this pool's addresses is announced by bgp: announce-quiet does not say so`}},
		{"prefixes inside", "{name: a, pools: [global], aggregationLength: {ipv4: 24, ipv6: 64}}", nil},
		{"prefixes beyond", "{name: a, pools: [global, shop], aggregationLength: {ipv4: 24, ipv6: 48}}", []string{
			`warning: bgp.yaml:3:77 "24": tells of 10.0.1.0/24, which is more than the pool shop has`,
			`warning: bgp.yaml:3:87 "48": tells of 2001:db8::/48, which is more than the pool global has`,
		}},
		{"prefixes beyond, of any pool", "{name: a, aggregationLength: {ipv4: 24}}", []string{`warning: bgp.yaml:3:54 "24": tells of 10.0.1.0/24, which is more than the pool shop has`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, faults := bgp.ParseBeside(head+"advertisements: ["+test.advertisement+"]", pools)
			var got []string
			for _, f := range faults {
				got = append(got, f.Severity.String()+": "+f.String())
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}
