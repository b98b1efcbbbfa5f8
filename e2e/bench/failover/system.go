// Package failover measures what a client loses when the owner of an address
// fails, for each way to fail and each implementation.
package failover

import (
	"context"
	"net/netip"
)

// System is an implementation that keeps addresses answered.
type System interface {
	// Start sets it up on all nodes, and returns an IPv4 and an IPv6 address
	// that it announces.
	Start(ctx context.Context) ([]netip.Addr, error)
	// Processes returns the ids of what a crash of the node ends of it.
	Processes(ctx context.Context, node string) ([]int, error)
	// Revive brings a node back that crashed, and waits until it could take an
	// address over.
	Revive(ctx context.Context, node string) error
	// Stop takes it away again.
	Stop(ctx context.Context) error
}
