// Package bgp measures implementations that tell a router of addresses by BGP: what a
// client behind the router loses when a node crashes, to which it sends some of its
// packets, and how long many routes take to the router's table.
package bgp

import (
	"context"
	"fmt"
	"net/netip"
	"time"
)

// The autonomous systems of the nodes and of the router.
const (
	NodesAS  = 64513
	RouterAS = 64514
)

// HoldTime is how long either end waits for a message of the other (RFC 4271 section
// 4.2): the least that there is, of all implementations. Keepalives are a third of it apart.
const HoldTime = 3 * time.Second

// System is an implementation that tells the router of addresses.
type System interface {
	// Start sets it up on all nodes, and returns addresses that each of them tells of.
	Start(ctx context.Context, r *Router) ([]netip.Addr, error)
	// Processes returns the ids of what a crash of the node ends of it.
	Processes(ctx context.Context, node string) ([]int, error)
	// Revive brings a node back that crashed.
	Revive(ctx context.Context, node string) error
	// Stop takes it away again.
	Stop(ctx context.Context) error
}

// Crowd is an implementation with many addresses.
type Crowd interface {
	// Fill makes so many addresses, of which it tells nobody, and returns once Services
	// have them.
	Fill(ctx context.Context, r *Router, count int) error
	// Tell has all nodes tell the router of all of them; Hush has them tell of none. They
	// return once that is configured.
	Tell(ctx context.Context) error
	Hush(ctx context.Context) error
	// Clear takes everything away again.
	Clear(ctx context.Context) error
}

// until looks again and again whether something is so, at most so often.
func until(ctx context.Context, pause time.Duration, what string, so func() (bool, error)) error {
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for {
		yes, err := so()
		if yes || err != nil {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", what, ctx.Err())
		}
	}
}
