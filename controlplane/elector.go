// Package controlplane gives the API servers of a cluster one address, the VIP:
// the node that an elector chooses has it on an interface, as long as its own API
// server is ready.
package controlplane

import (
	"context"

	"github.com/heraldlb/herald/announcer"
)

// Elector decides, together with those of the other nodes, which node holds the VIP.
type Elector interface {
	// Run takes part until ctx ends, then hands the VIP over as far as the kind of
	// election allows, releases the seat, and returns nil. This node stands for
	// election while the last word of ready is true; an unready holder hands over.
	Run(ctx context.Context, ready <-chan bool, seat Seat) error
}

// Seat is what an elector fills on its node: who sits there has the VIP, or, where
// there is one of each family, both.
type Seat interface {
	// Hold has this node take the VIP, or keep it. It does not block.
	Hold(Term)
	// Renew tells the neighbours once more who has the VIP, since another node of
	// ours had it too. It does not block.
	Renew()
	// Release gives the VIP up. It does not block.
	Release()
	// Vacant returns nil when no interface of this node has the VIP, or the error
	// of ctx.
	Vacant(ctx context.Context) error
}

// Term is how the VIP is held.
type Term struct {
	// Until is when the term ends unless another follows, enforced by whoever has
	// the VIP on an interface: an elector that hangs or dies holds nothing beyond
	// it. Zero is for no end.
	Until announcer.BootTime
	// Probe asks for a check that no stranger uses the VIP before this node does:
	// it is not known that a node of ours had it before.
	Probe bool
	// From is the node that hands the VIP over, and goes on with the connections it
	// has; empty if none does.
	From string
}
