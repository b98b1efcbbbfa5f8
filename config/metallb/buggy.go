package metallb

import (
	"fmt"
	"net/netip"
	"slices"

	"go4.org/netipx"
)

// avoidBuggy leaves out the addresses of IPv4 that end in .0 and .255, where a pool
// says so.
func (c *converter) avoidBuggy() {
	skip := c.skipEnds()
	for _, p := range c.pools {
		for _, s := range p.scopes {
			if p.avoidBuggyIPs && !s.exclude(p, skip) {
				c.leaveOut(p.object, "avoidBuggyIPs", fmt.Sprintf("more than %d ranges of addresses to leave out; the key exclude- has those that you name", mostExcludes))
			}
		}
	}
}

// skipEnds tells whether skip-end-ips-in-cidr, which is for all CIDRs, leaves out just
// those addresses.
func (c *converter) skipEnds() bool {
	const bits = 24
	some := false
	for _, s := range c.scopes {
		for _, e := range s.cidrs {
			prefix, _ := e.Prefix()
			if !e.from.avoidBuggyIPs || !e.From().Is4() || prefix.Bits() != bits {
				return false
			}
			some = true
		}
	}
	return some
}

// mostExcludes bounds what a pool adds to exclude-: a /14 has as many.
const mostExcludes = 1025

// exclude adds a pool's addresses to exclude-, those of CIDRs unless their ends are
// skipped. It is false if they are too many.
func (s *scope) exclude(p *pool, skip bool) bool {
	entries := s.ranges
	if !skip {
		entries = slices.Concat(s.cidrs, s.ranges)
	}
	before := len(s.excludes)
	for _, e := range entries {
		if e.from != p || !e.From().Is4() {
			continue
		}
		for from, to := range buggy(e.IPRange) {
			if len(s.excludes)-before == mostExcludes {
				s.excludes = s.excludes[:before]
				return false
			}
			text := from.String()
			if from != to {
				text += "-" + to.String()
			}
			s.excludes = append(s.excludes, text)
		}
	}
	return true
}

// buggy yields the addresses in a range of IPv4 that end in .0 or .255; an .255 and the
// .0 that follows together.
func buggy(r netipx.IPRange) func(yield func(from, to netip.Addr) bool) {
	return func(yield func(from, to netip.Addr) bool) {
		const last = 255
		for at := r.From(); at.IsValid() && at.Compare(r.To()) <= 0; {
			octets := at.As4()
			switch octets[3] {
			case last:
				to := at
				if next := at.Next(); next.IsValid() && next.Compare(r.To()) <= 0 {
					to = next
				}
				if !yield(at, to) {
					return
				}
				at = to.Next()
			case 0:
				if !yield(at, at) {
					return
				}
				at = at.Next()
			default:
				octets[3] = last
				at = netip.AddrFrom4(octets)
			}
		}
	}
}
