package config

import (
	"fmt"
	"strings"

	"github.com/heraldlb/herald/config/bgp"
	"github.com/heraldlb/herald/config/fault"
)

// Keys of the ConfigMap that stand alone.
const (
	keyOrder    = "search-order"
	keySkipEnds = "skip-end-ips-in-cidr"
)

// Keys of the ConfigMap that a scope follows.
const (
	prefixCIDR      = "cidr-"
	prefixRange     = "range-"
	prefixExclude   = "exclude-"
	prefixShare     = "allow-share-"
	prefixInterface = "interface-"
	prefixAnnounce  = "announce-"
)

// Key is a key of the ConfigMap: how it is read, and what the reference says of it.
type Key struct {
	// Name is the key, or where a scope follows what stands before that: "cidr-".
	Name string
	// Scoped tells whether a scope follows: a namespace, or Global.
	Scoped bool
	// Value is what the value may be.
	Value string
	// Default is the value where the key is not there, "" for none.
	Default string
	// Example is a value.
	Example string
	// Text says what the key does.
	Text string

	// read reads the value; the scope is nil without Scoped.
	read func(p *parser, s *scope, key, value string)
}

// Keys returns all keys that Parse knows.
func Keys() []Key {
	return append(scopedKeys(), []Key{
		{
			Name:  bgp.Key,
			Value: "YAML, as below", Example: "{localASN: 64512, peers: [{name: spine, address: 192.0.2.1, asn: 64500}]}",
			Text: "the routers, and what they are told",
			read: func(p *parser, _ *scope, _, value string) { p.bgp = &value },
		},
		{
			Name:  keyOrder,
			Value: fmt.Sprintf("`%s` or `%s`", Ascending, Descending), Default: Ascending.String(), Example: Descending.String(),
			Text: "whether the lowest or the highest free address is handed out first",
			read: (*parser).readOrder,
		},
		{
			Name:  keySkipEnds,
			Value: booleans, Default: "false", Example: "true",
			Text: "leave out the first and last address of each IPv4 CIDR but a /31 or /32, and the first of each IPv6 CIDR but a /127 or /128; ranges stay whole",
			read: (*parser).readSkipEnds,
		},
	}...)
}

const booleans = "`true` or `false`"

// scopedKeys returns those that a scope follows.
func scopedKeys() []Key {
	return []Key{
		{
			Name: prefixCIDR, Scoped: true,
			Value: "CIDRs by their base address, separated by commas, families mixed", Example: "192.168.10.208/28, 2001:db8:10::1:0/112",
			Text: "addresses to hand out; with `range-` of the same scope it is one pool",
			read: func(p *parser, s *scope, key, value string) { p.readPool(s, key, value, parseCIDR) },
		},
		{
			Name: prefixRange, Scoped: true,
			Value: "ranges, both ends included, separated by commas, families mixed", Example: "192.168.20.10-192.168.20.40, fd00::10-fd00::40",
			Text: "addresses to hand out",
			read: func(p *parser, s *scope, key, value string) { p.readPool(s, key, value, parseRange) },
		},
		{
			Name: prefixExclude, Scoped: true,
			Value: "addresses, CIDRs and ranges, separated by commas", Example: "192.168.10.1, 192.168.10.100-192.168.10.120",
			Text: "what is left out of this scope's pool; other scopes' are not concerned",
			read: (*parser).readExcludes,
		},
		{
			Name: prefixShare, Scoped: true,
			Value: booleans, Default: "`allow-share-global`, else `false`", Example: "true",
			Text: "Services of the scope may share an address, if their ports differ and, under `externalTrafficPolicy: Local`, their selectors are equal",
			read: func(p *parser, s *scope, key, value string) { s.share = p.readBool(key, trim(value)) },
		},
		{
			Name: prefixInterface, Scoped: true,
			Value: "one interface, as the nodes call it: 1 to 15 bytes", Default: "`interface-global`, else every one that has the address on-link", Example: "eth1",
			Text: "where addresses are announced on layer 2",
			read: (*parser).readInterface,
		},
		{
			Name: prefixAnnounce, Scoped: true,
			Value: fmt.Sprintf("`%s`, `%s`, or both, separated by a comma", announceL2, announceBGP), Default: "`announce-global`, else `l2`", Example: "l2,bgp",
			Text: "`l2`: one node answers for each address, by ARP and NDP; `bgp`: the nodes tell the routers of `bgp.yaml`",
			read: (*parser).readAnnounce,
		},
	}
}

// find returns the key that one in the ConfigMap is, and the scope that it ends in.
func find(keys []Key, written string) (key Key, scope string, ok bool) {
	for _, key := range keys {
		scope, begins := strings.CutPrefix(written, key.Name)
		if begins && (key.Scoped || scope == "") {
			return key, scope, true
		}
	}
	return Key{}, "", false
}

// checkScope says what is wrong with a scope; nil if nothing.
func checkScope(prefix, scope string) error {
	switch {
	case scope == "":
		return fmt.Errorf("no namespace named; did you mean %s%s?", prefix, Global)
	case isNamespace(scope):
		return nil
	case isNamespace(strings.ToLower(scope)):
		return fmt.Errorf("%s is not a namespace name (RFC 1123 label); did you mean %s?", fault.Quote(scope), prefix+strings.ToLower(scope))
	}
	return fmt.Errorf("%s is not a namespace name (RFC 1123 label: 1 to 63 of a-z, 0-9 and '-', not at the ends)", fault.Quote(scope))
}

// isNamespace tells whether name is an RFC 1123 label in lower case, as the
// names of namespaces are.
func isNamespace(name string) bool {
	const most = 63
	if name == "" || len(name) > most || name[0] == '-' || name[len(name)-1] == '-' {
		return false
	}
	for _, c := range []byte(name) {
		if !isLower(c) && !isDigit(c) && c != '-' {
			return false
		}
	}
	return true
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// checkInterface says why the kernel would refuse an interface name
// (dev_valid_name in net/core/dev.c); nil if it would not.
func checkInterface(name string) error {
	const ifNameSize = 16 // IFNAMSIZ, with the closing zero byte
	switch {
	case name == "":
		return fmt.Errorf("no interface named")
	case strings.Contains(name, ","):
		return fmt.Errorf("names more than one interface")
	case len(name) >= ifNameSize:
		return fmt.Errorf("not an interface name: %d bytes, at most %d", len(name), ifNameSize-1)
	case name == "." || name == "..":
		return fmt.Errorf("not an interface name")
	case strings.ContainsAny(name, "/: \t\n\v\f\r\x00"):
		return fmt.Errorf("not an interface name: no '/', ':' or white space")
	}
	return nil
}
