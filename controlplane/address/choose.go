package address

import (
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/announcer/l2/link"
)

// Place is the interface that a VIP belongs on.
type Place struct {
	Index int
	Name  string
	// Up says that the interface is up and has a carrier.
	Up bool
	// Outside says that no subnet of the interface holds the VIP: only hosts that
	// have a route to it reach it.
	Outside bool
}

// Reason says why there is no place for a VIP.
type Reason string

// The reasons.
const (
	// NoInterface: there is no Ethernet interface of the name that was given.
	NoInterface Reason = "no Ethernet interface of that name"
	// NoSubnet: no interface was named, no subnet holds the VIP, and there is no
	// default route.
	NoSubnet Reason = "no interface has a subnet that holds it, and there is no default route: name one"
)

// Choose returns where a VIP belongs: on the interface that is named; or on that
// which has it on-link; or on the one of the default route, by index, 0 if there
// is none. Reason is empty if there is a place.
func Choose(vip netip.Addr, name string, interfaces []link.Interface, byDefault int) (Place, Reason) {
	var chosen *link.Interface
	for i := range interfaces {
		on := &interfaces[i]
		switch {
		case name != "":
			if on.Name == name {
				chosen = on
			}
		case !on.OnLink(vip):
		case chosen == nil || on.Up && !chosen.Up:
			chosen = on
		}
	}
	if chosen == nil && name == "" {
		for i := range interfaces {
			if interfaces[i].Index == byDefault {
				chosen = &interfaces[i]
			}
		}
	}
	switch {
	case chosen != nil:
		return Place{Index: chosen.Index, Name: chosen.Name, Up: chosen.Up, Outside: !chosen.OnLink(vip)}, ""
	case name != "":
		return Place{}, NoInterface
	default:
		return Place{}, NoSubnet
	}
}

// ByDefault returns the index of the interface of the default route of vip's
// family, of several that of the lowest metric; 0 if there is none.
func ByDefault(vip netip.Addr) (int, error) {
	family := unix.AF_INET
	if vip.Is6() {
		family = unix.AF_INET6
	}
	routes, err := netlink.RouteListFiltered(family, &netlink.Route{Table: unix.RT_TABLE_MAIN}, netlink.RT_FILTER_TABLE)
	if err != nil {
		return 0, err
	}
	best, metric := 0, 0
	for _, r := range routes {
		if r.Dst != nil && !unspecified(r) {
			continue
		}
		index := r.LinkIndex
		if index == 0 && len(r.MultiPath) > 0 {
			index = r.MultiPath[0].LinkIndex
		}
		if index != 0 && (best == 0 || r.Priority < metric) {
			best, metric = index, r.Priority
		}
	}
	return best, nil
}

// unspecified reports whether a route is for everything.
func unspecified(r netlink.Route) bool {
	ones, _ := r.Dst.Mask.Size()
	return ones == 0
}
