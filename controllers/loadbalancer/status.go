package loadbalancer

import (
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// ConditionAddressAllocated is the condition on a Service that says whether it
// holds the addresses it asks for, and if not, why. Where it is False an address
// held already stays.
const ConditionAddressAllocated = "heraldlb.io/AddressAllocated"

// The conditions on a Service that say whether a node answers for its address,
// and which. There is one for each family, since each address has an owner of
// its own, and no two nodes write the same condition but on a change of owner.
const (
	ConditionAnnouncedIPv4 = "heraldlb.io/AnnouncedIPv4"
	ConditionAnnouncedIPv6 = "heraldlb.io/AnnouncedIPv6"
)

// The reasons of ConditionAddressAllocated.
const (
	// ReasonAllocated: the Service holds what it asks for (True).
	ReasonAllocated = "Allocated"
	// ReasonAddressLeftPool: the pools changed, and the address that the Service
	// keeps is in none that it may use any more (True).
	ReasonAddressLeftPool = "AddressLeftPool"
	// ReasonNoPool: the Service's namespace has no pool, or none of its family.
	ReasonNoPool = "NoPool"
	// ReasonPoolExhausted: the pool has no free address.
	ReasonPoolExhausted = "PoolExhausted"
	// ReasonRequestOutsidePool: the address asked for is in no pool of the namespace.
	ReasonRequestOutsidePool = "RequestOutsidePool"
	// ReasonRequestTaken: the address asked for is another Service's, or is shared
	// with one whose ports clash.
	ReasonRequestTaken = "RequestTaken"
	// ReasonRequestInvalid: the request cannot be understood.
	ReasonRequestInvalid = "RequestInvalid"
	// ReasonAddressConflict: another Service's status holds the same address, and
	// the two may not share it.
	ReasonAddressConflict = "AddressConflict"
)

// Addresses returns the addresses in svc's status. Host names, and what is not
// an address, are left out.
func Addresses(svc *corev1.Service) []netip.Addr {
	var addresses []netip.Addr
	for _, ingress := range svc.Status.LoadBalancer.Ingress {
		if address, err := netip.ParseAddr(ingress.IP); err == nil {
			addresses = append(addresses, address.Unmap())
		}
	}
	return addresses
}

// Foremost reports whether addr is the first of its family in svc's status: the condition
// of that family speaks of it.
func Foremost(svc *corev1.Service, addr netip.Addr) bool {
	addresses := Addresses(svc)
	first := slices.IndexFunc(addresses, func(other netip.Addr) bool { return other.BitLen() == addr.BitLen() })
	return first >= 0 && addresses[first] == addr
}

// Family returns the IP family of address, as the Services API spells it.
func Family(address netip.Addr) corev1.IPFamily {
	if address.Is4() {
		return corev1.IPv4Protocol
	}
	return corev1.IPv6Protocol
}
