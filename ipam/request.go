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
}

// check returns what is wrong with the request in itself.
func (r *Request) check() *Error {
	if len(r.Families) == 0 {
		return &Error{Reason: Invalid, Detail: "no IP family is wanted"}
	}
	for i, f := range r.Families {
		if f != IPv4 && f != IPv6 {
			return &Error{Reason: Invalid, Detail: f.String() + " is no IP family"}
		}
		if i > 0 && f == r.Families[0] || i > 1 {
			return &Error{Reason: Invalid, Family: f, Detail: f.String() + " is wanted twice"}
		}
	}
	if r.Required < 0 || r.Required > len(r.Families) {
		return &Error{Reason: Invalid, Detail: fmt.Sprintf("%d of %d IP families are required", r.Required, len(r.Families))}
	}
	for _, p := range r.Ports {
		if _, known := protocolNumber(p.Protocol); !known {
			return &Error{Reason: Invalid, Port: p, Detail: fmt.Sprintf("port %s: the protocol is none of TCP, UDP, SCTP", p)}
		}
	}
	return r.checkAddresses()
}

func (r *Request) checkAddresses() *Error {
	for i, address := range r.Addresses {
		if !address.IsValid() || address.Zone() != "" || address.Is4In6() {
			return &Error{Reason: Invalid, Address: address, Detail: fmt.Sprintf("%s is not a plain IPv4 or IPv6 address", address)}
		}
		family := familyOf(address)
		if !r.wants(family) {
			return &Error{Reason: Invalid, Address: address, Family: family, Detail: fmt.Sprintf("%s is requested but %s is not wanted", address, family)}
		}
		if i > 0 && familyOf(r.Addresses[0]) == family {
			return &Error{Reason: Invalid, Address: address, Family: family, Detail: fmt.Sprintf("%s and %s are both requested; one %s address is given", r.Addresses[0], address, family)}
		}
	}
	return nil
}

// wants reports whether the family is among those wanted.
func (r *Request) wants(f Family) bool {
	for _, wanted := range r.Families {
		if wanted == f {
			return true
		}
	}
	return false
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
