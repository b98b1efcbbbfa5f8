package address

import (
	"net"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const (
	// settling bounds the wait for the kernel, lookAgain is the time between looks.
	settling  = 100 * time.Millisecond
	lookAgain = time.Millisecond
)

// Await waits, for a moment at most, until the kernel takes packets for an address that
// was put on the interface of that index. It has an IPv6 address at once, but the route
// to it only when a worker of its comes round; nobody is told.
func Await(index int, addr netip.Addr) {
	if addr.Is4() {
		return
	}
	wanted := &netlink.Route{
		Table: unix.RT_TABLE_LOCAL, LinkIndex: index, Dst: &net.IPNet{IP: addr.AsSlice(), Mask: net.CIDRMask(addr.BitLen(), addr.BitLen())},
	}
	ticker := time.NewTicker(lookAgain)
	defer ticker.Stop()
	timeout := time.After(settling)
	for {
		routes, err := netlink.RouteListFiltered(unix.AF_INET6, wanted, netlink.RT_FILTER_TABLE|netlink.RT_FILTER_OIF|netlink.RT_FILTER_DST)
		if err != nil || len(routes) > 0 {
			return
		}
		select {
		case <-ticker.C:
		case <-timeout:
			return
		}
	}
}
