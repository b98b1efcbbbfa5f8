package balancer

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// forget has the kernel forget connections by where they were meant to go and where
// they go. It returns them as their clients see them: what those send next is reset.
func (k *kernel) forget(is func(frontend, backend netip.AddrPort) bool, families ...netlink.InetFamily) (gone []flow, err error) {
	for _, family := range families {
		f := &filter{is: is}
		if _, err := k.route.ConntrackDeleteFilters(netlink.ConntrackTable, family, f); err != nil {
			return gone, fmt.Errorf("conntrack: %w", err)
		}
		gone = append(gone, f.matched...)
	}
	return gone, nil
}

// flow is a connection, as its client sees it.
type flow struct{ client, frontend netip.AddrPort }

// filter finds connections by where they were meant to go and where they go.
type filter struct {
	is      func(frontend, backend netip.AddrPort) bool
	matched []flow
}

// MatchConntrackFlow implements netlink.CustomConntrackFilter.
func (f *filter) MatchConntrackFlow(c *netlink.ConntrackFlow) bool {
	frontend := addrPort(c.Forward.DstIP, c.Forward.DstPort)
	if c.Forward.Protocol != unix.IPPROTO_TCP || !f.is(frontend, addrPort(c.Reverse.SrcIP, c.Reverse.SrcPort)) {
		return false
	}
	f.matched = append(f.matched, flow{addrPort(c.Forward.SrcIP, c.Forward.SrcPort), frontend})
	return true
}

func addrPort(ip net.IP, port uint16) netip.AddrPort {
	a, _ := netip.AddrFromSlice(ip)
	return netip.AddrPortFrom(a.Unmap(), port)
}
