package ipam

import (
	"fmt"
	"net/netip"
)

// Owner names a Service that holds addresses or asks for them.
type Owner struct {
	Namespace, Name string
}

// String returns namespace/name.
func (o Owner) String() string { return o.Namespace + "/" + o.Name }

// Family is an IP family.
type Family uint8

// The IP families.
const (
	IPv4 Family = 4
	IPv6 Family = 6
)

// String returns IPv4 or IPv6, as in a Service's spec.ipFamilies.
func (f Family) String() string { return fmt.Sprintf("IPv%d", uint8(f)) }

// slot is the family's place in an array that has one element for each family.
func (f Family) slot() int {
	if f == IPv4 {
		return 0
	}
	return 1
}

// Port is one port of a Service.
type Port struct {
	Protocol string // TCP, UDP or SCTP
	Number   uint16
}

// String returns protocol/number, such as TCP/80.
func (p Port) String() string { return fmt.Sprintf("%s/%d", p.Protocol, p.Number) }

// Sharing says with whom an address may be shared. Two holders share an address
// when their keys are equal, and set unless the pools of both share; their
// backends are equal; and they have no port in common.
type Sharing struct {
	// Key is the sharing key, "" for none.
	Key string
	// Backend names the set of endpoints where it matters: the canonical
	// selector with externalTrafficPolicy Local, "" with Cluster.
	Backend string
}

// Request is what an owner asks for.
type Request struct {
	Owner Owner
	// Families are those wanted, in order of preference, each at most once.
	Families []Family
	// Required is how many of the families must be met: 1 of 2 for
	// PreferDualStack. 0 means all of them.
	Required int
	// Addresses are asked for by number, at most one for each family. Such a
	// request is met exactly or refused; it never yields another address.
	Addresses []netip.Addr
	Ports     []Port
	Sharing   Sharing
	// Linger lets the owner keep what it holds and no longer wants, after what it
	// wants, until Shed.
	Linger bool
}

// requested returns the address asked for by number, if there is one.
func (r *Request) requested(f Family) (uint128, bool) {
	for _, address := range r.Addresses {
		if familyOf(address) == f {
			return fromAddr(address), true
		}
	}
	return uint128{}, false
}

// required returns how many families must be met.
func (r *Request) required() int {
	if r.Required == 0 {
		return len(r.Families)
	}
	return r.Required
}

func familyOf(address netip.Addr) Family {
	if address.Is4() {
		return IPv4
	}
	return IPv6
}
