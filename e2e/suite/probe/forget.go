package main

import (
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// forget makes the node that it runs on forget the connections to an address,
// also those that were never made.
func forget(address netip.Addr) error {
	var filter netlink.ConntrackFilter
	if err := filter.AddIP(netlink.ConntrackOrigDstIP, address.AsSlice()); err != nil {
		return err
	}
	family := netlink.InetFamily(unix.AF_INET)
	if address.Is6() {
		family = unix.AF_INET6
	}
	_, err := netlink.ConntrackDeleteFilters(netlink.ConntrackTable, family, &filter)
	return err
}
