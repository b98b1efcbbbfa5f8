package advertisement

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/mdlayher/socket"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/announcer/bgp"
	config "github.com/heraldlb/herald/config/bgp"
)

// links are this host's addresses, and its routes. Rtnetlink tells of them without
// any right.
type links struct {
	addresses []local
	// route returns the interface that the kernel would send to an address from, and
	// the source; it is false if there is no route.
	route func(netip.Addr) (iface int, source netip.Addr, ok bool)
}

// local is an address on an interface.
type local struct {
	addr  netip.Addr
	iface int
	name  string
	// host says that its prefix is that address alone.
	host bool
	// passing says that it is none to be reached at for long: a VIP's, which is no
	// source of connections (preferred lifetime 0), a temporary one (RFC 8981), or one
	// that is not known to be this host's alone.
	passing bool
}

// readLinks reads them.
func readLinks() (links, error) {
	interfaces, err := netlink.LinkList()
	if err != nil {
		return links{}, fmt.Errorf("list interfaces: %w", err)
	}
	addresses, err := netlink.AddrList(nil, netlink.FAMILY_ALL)
	if err != nil {
		return links{}, fmt.Errorf("list addresses: %w", err)
	}
	names := make(map[int]string, len(interfaces))
	for _, i := range interfaces {
		names[i.Attrs().Index] = i.Attrs().Name
	}
	found := links{route: kernelRoute}
	for _, a := range addresses {
		addr, ok := netip.AddrFromSlice(a.IP)
		if !ok || a.IPNet == nil {
			continue
		}
		ones, bits := a.Mask.Size()
		const passing = unix.IFA_F_TEMPORARY | unix.IFA_F_TENTATIVE | unix.IFA_F_DADFAILED | unix.IFA_F_DEPRECATED
		found.addresses = append(found.addresses, local{
			addr: addr.Unmap(), iface: a.LinkIndex, name: names[a.LinkIndex], host: ones == bits,
			passing: a.Flags&passing != 0 && (addr.Unmap().Is6() || a.Flags&unix.IFA_F_DEPRECATED != 0),
		})
	}
	return found, nil
}

func kernelRoute(to netip.Addr) (int, netip.Addr, bool) {
	routes, err := netlink.RouteGet(net.IP(to.AsSlice()))
	if err != nil || len(routes) == 0 {
		return 0, netip.Addr{}, false
	}
	source, _ := netip.AddrFromSlice(routes[0].Src)
	return routes[0].LinkIndex, source.Unmap(), true
}

// end is this node's of a session.
type end struct {
	// source is not valid where the kernel chooses it.
	source   netip.Addr
	nextHops bgp.NextHops
}

// end returns that of the session with p. The next hops are what p says; or on the
// interface that the session goes by; of a family that has none there, the first of the
// Node's own.
func (l links) end(p config.Peer, own []netip.Addr) end {
	if p.SourceInterface != "" && !p.SourceAddress.IsValid() {
		family := netip.Addr.Is4
		if p.Address.Is6() {
			family = netip.Addr.Is6
		}
		iface := l.find(func(a local) bool { return a.name == p.SourceInterface }).iface
		p.SourceAddress = l.hop(iface, netip.Addr{}, nil, family)
	}
	iface, source := l.towards(p)
	return end{p.SourceAddress, bgp.NextHops{
		V4: cmp.Or(p.NextHop4, l.hop(iface, source, own, netip.Addr.Is4)),
		V6: cmp.Or(p.NextHop6, l.hop(iface, source, own, netip.Addr.Is6)),
	}}
}

// towards returns the interface that the session with p goes by, 0 if that is not
// known, and this node's end, if that is.
func (l links) towards(p config.Peer) (iface int, source netip.Addr) {
	name := p.Interface
	if name == "" && !p.SourceAddress.IsValid() {
		name = p.Address.Zone()
	}
	switch {
	case p.SourceAddress.IsValid():
		return l.find(func(a local) bool { return a.addr == p.SourceAddress.WithZone("") }).iface, p.SourceAddress
	case name != "":
		return l.find(func(a local) bool { return a.name == name }).iface, netip.Addr{}
	}
	iface, source, _ = l.route(p.Address)
	return iface, source
}

func (l links) find(is func(local) bool) local {
	if at := slices.IndexFunc(l.addresses, is); at >= 0 {
		return l.addresses[at]
	}
	return local{}
}

func (l links) hop(iface int, source netip.Addr, own []netip.Addr, family func(netip.Addr) bool) netip.Addr {
	if family(source) && reachable(source) {
		return source
	}
	var best local
	for _, a := range l.addresses {
		if a.iface == iface && iface != 0 && family(a.addr) && reachable(a.addr) && !a.passing && better(a, best, own) {
			best = a
		}
	}
	if best.addr.IsValid() {
		return best.addr
	}
	if at := slices.IndexFunc(own, family); at >= 0 {
		return own[at]
	}
	return netip.Addr{}
}

// better says whether a is rather a next hop than b: an address that the Node has for
// its own, then one of a subnet.
func better(a, b local, own []netip.Addr) bool {
	if !b.addr.IsValid() {
		return true
	}
	ofA, ofB := slices.Contains(own, a.addr), slices.Contains(own, b.addr)
	if ofA != ofB {
		return ofA
	}
	return b.host && !a.host
}

// reachable says whether a router could send to addr.
func reachable(addr netip.Addr) bool {
	return addr.IsValid() && !addr.IsLinkLocalUnicast() && !addr.IsLoopback() && !addr.IsUnspecified()
}

// followLinks calls changed whenever addresses, interfaces or routes change, until ctx
// ends.
func followLinks(ctx context.Context, changed func()) error {
	conn, err := socket.Socket(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_ROUTE, "rtnetlink", nil)
	if err != nil {
		return fmt.Errorf("follow addresses and routes: %w", err)
	}
	defer func() { _ = conn.Close() }()
	const groups = unix.RTMGRP_LINK | unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV6_IFADDR | unix.RTMGRP_IPV4_ROUTE | unix.RTMGRP_IPV6_ROUTE
	if err := conn.Bind(&unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
		return fmt.Errorf("follow addresses and routes: %w", err)
	}
	buffer := make([]byte, 1) // that something changed is all there is to know
	for {
		changed()
		// ENOBUFS says no less: more changed than the kernel kept.
		if _, _, err := conn.Recvfrom(ctx, buffer, 0); err != nil && !errors.Is(err, unix.ENOBUFS) {
			return fmt.Errorf("follow addresses and routes: %w", err)
		}
	}
}
