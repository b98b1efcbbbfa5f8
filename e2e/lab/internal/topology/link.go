package topology

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
)

// AddAddress puts an address on a link of the calling thread's namespace; it
// may be there already.
func AddAddress(link string, prefix netip.Prefix) error {
	device, err := netlink.LinkByName(link)
	if err != nil {
		return fmt.Errorf("link %s: %w", link, err)
	}
	if err := netlink.AddrReplace(device, &netlink.Addr{IPNet: ipNet(prefix)}); err != nil {
		return fmt.Errorf("address %s on %s: %w", prefix, link, err)
	}
	return nil
}

// AddRoute routes a prefix by a gateway, by a link, or by both, in the calling
// thread's namespace. An existing route is replaced.
func AddRoute(to netip.Prefix, gateway netip.Addr, link string) error {
	route := &netlink.Route{Dst: ipNet(to)}
	if gateway.IsValid() {
		route.Gw = gateway.AsSlice()
	} else if to.Addr().Is4() {
		route.Scope = netlink.SCOPE_LINK
	}
	if link != "" {
		device, err := netlink.LinkByName(link)
		if err != nil {
			return fmt.Errorf("link %s: %w", link, err)
		}
		route.LinkIndex = device.Attrs().Index
	}
	if err := netlink.RouteReplace(route); err != nil {
		return fmt.Errorf("route to %s by %s %s: %w", to, gateway, link, err)
	}
	return nil
}

// AddVeth makes a veth pair: link here and up, peer in the other namespace.
func AddVeth(link, peer string, into Namespace) error {
	veth := &netlink.Veth{
		LinkAttrs:     netlink.LinkAttrs{Name: link},
		PeerName:      peer,
		PeerNamespace: netlink.NsFd(int(into.handle)),
	}
	if err := netlink.LinkAdd(veth); err != nil {
		return fmt.Errorf("veth pair %s, %s: %w", link, peer, err)
	}
	return SetUp(link)
}

// DeleteLink removes a link and with it, for a veth, its peer.
func DeleteLink(link string) error {
	device, err := netlink.LinkByName(link)
	if err != nil {
		return fmt.Errorf("link %s: %w", link, err)
	}
	return netlink.LinkDel(device)
}

// SetUp sets a link of the calling thread's namespace up.
func SetUp(link string) error {
	device, err := netlink.LinkByName(link)
	if err != nil {
		return fmt.Errorf("link %s: %w", link, err)
	}
	if err := netlink.LinkSetUp(device); err != nil {
		return fmt.Errorf("set %s up: %w", link, err)
	}
	return nil
}

func ipNet(prefix netip.Prefix) *net.IPNet {
	return &net.IPNet{
		IP:   prefix.Addr().AsSlice(),
		Mask: net.CIDRMask(prefix.Bits(), prefix.Addr().BitLen()),
	}
}

// Unspecified returns the unspecified address of the same family.
func Unspecified(like netip.Addr) netip.Addr {
	if like.Is4() {
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}
