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

// Seat is what an elector fills on its node. It neither waits for the wire nor for
// other processes, but in Release.
type Seat interface {
	// Hold has this node take the VIP, or keep it, until the given moment; a later
	// call may move that. The zero BootTime is for no end. The moment is enforced
	// by whoever has the VIP on an interface: an elector that hangs or dies holds
	// nothing beyond it.
	Hold(until announcer.BootTime)
	// Release gives the VIP up. It returns nil when no interface has it any more,
	// or the error of ctx.
	Release(ctx context.Context) error
}
