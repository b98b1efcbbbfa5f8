package config

import (
	"fmt"
	"net/netip"

	"go4.org/netipx"
)

// block is a part of the address space with a meaning of its own.
type block struct {
	netip.Prefix
	what string
}

// unusable returns the blocks by whose addresses nobody could reach a Service.
func unusable() []block {
	return []block{
		{netip.MustParsePrefix("0.0.0.0/8"), "this network (RFC 791 section 3.2)"},
		{netip.MustParsePrefix("127.0.0.0/8"), "loopback (RFC 1122 section 3.2.1.3)"},
		{netip.MustParsePrefix("224.0.0.0/4"), "multicast (RFC 5771)"},
		{netip.MustParsePrefix("255.255.255.255/32"), "limited broadcast (RFC 919)"},
		{netip.MustParsePrefix("::/128"), "unspecified (RFC 4291 section 2.5.2)"},
		{netip.MustParsePrefix("::1/128"), "loopback (RFC 4291 section 2.5.3)"},
		{netip.MustParsePrefix("::ffff:0:0/96"), "IPv4-mapped (RFC 4291 section 2.5.5.2)"},
		// A node does not forward to a Pod what comes from a link-local source.
		{netip.MustParsePrefix("fe80::/10"), "link-local (RFC 4291 section 2.5.6)"},
		{netip.MustParsePrefix("ff00::/8"), "multicast (RFC 4291 section 2.7)"},
	}
}

// doubtful returns the blocks whose addresses work in some networks only.
func doubtful() []block {
	return []block{
		{netip.MustParsePrefix("169.254.0.0/16"), "link-local (RFC 3927), which routers do not forward"},
		{netip.MustParsePrefix("240.0.0.0/4"), "reserved (RFC 1112 section 4), which many hosts refuse"},
	}
}

// checkUsable says why the addresses cannot be handed out; nil if they can.
func checkUsable(r netipx.IPRange) error {
	if b, ok := overlapping(unusable(), r); ok {
		return fmt.Errorf("holds addresses of %s: %s; they cannot be handed out", b.Prefix, b.what)
	}
	return nil
}

func overlapping(blocks []block, r netipx.IPRange) (block, bool) {
	for _, b := range blocks {
		if r.Overlaps(netipx.RangeOfPrefix(b.Prefix)) {
			return b, true
		}
	}
	return block{}, false
}
