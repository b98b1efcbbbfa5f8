package ipam

import (
	"fmt"
	"net/netip"
)

// Reason says why a request is refused. It is an error itself, so that
// errors.Is(err, ipam.Exhausted) asks for it.
type Reason string

// The reasons of a refusal.
const (
	// NoPool: the namespace has no pool, or none with the wanted family.
	NoPool Reason = "NoPool"
	// Exhausted: the pool has no free address, nor one to share.
	Exhausted Reason = "Exhausted"
	// OutsidePool: the requested address is not in the namespace's pool.
	OutsidePool Reason = "OutsidePool"
	// Taken: a holder of the address does not share it with this owner.
	Taken Reason = "Taken"
	// Invalid: the request contradicts itself.
	Invalid Reason = "Invalid"
)

// Error implements error.
func (r Reason) Error() string { return string(r) }

// Error is a refused request. A field that does not apply is zero.
type Error struct {
	Reason Reason
	// Pool is the pool asked, by name.
	Pool string
	// Family is the one that could not be met.
	Family Family
	// Address is the one that is taken, outside the pool or invalid.
	Address netip.Addr
	// Holder is who has the address, for Taken.
	Holder Owner
	// Port is one that Holder uses too, or one that is invalid.
	Port Port
	// Detail says more in words.
	Detail string
}

// Error returns a sentence that names the culprit.
func (e *Error) Error() string {
	switch e.Reason {
	case NoPool:
		if e.Pool != "" {
			return fmt.Sprintf("pool %q has no %s addresses", e.Pool, e.Family)
		}
		return fmt.Sprintf("no pool serves the namespace: it has none of its own and there is no %q one", Global)
	case Exhausted:
		return fmt.Sprintf("pool %q has no free %s address", e.Pool, e.Family)
	case OutsidePool:
		return fmt.Sprintf("address %s is not in pool %q", e.Address, e.Pool)
	case Taken:
		return fmt.Sprintf("address %s is taken by %s: %s", e.Address, e.Holder, e.Detail)
	default:
		return "invalid request: " + e.Detail
	}
}

// Unwrap returns the reason.
func (e *Error) Unwrap() error { return e.Reason }

// Conflict is an address found in the hands of two owners that may not share it.
type Conflict struct {
	Address netip.Addr
	// Holder is the other owner.
	Holder Owner
	// Port is one that both use, zero if the conflict is another.
	Port Port
	// Detail says in words what forbids sharing.
	Detail string
}

// String returns a sentence that names the other owner.
func (c Conflict) String() string {
	return fmt.Sprintf("address %s is also held by %s: %s", c.Address, c.Holder, c.Detail)
}
