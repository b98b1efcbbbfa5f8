package failover

import (
	"context"
	"syscall"
	"time"

	"github.com/heraldlb/herald/e2e/bench/outage"
	"github.com/heraldlb/herald/e2e/bench/site"
)

// Fault is a way to fail.
type Fault struct {
	Name string
	// Count is how often it is inflicted.
	Count int
	// Measures is what counts of it.
	Measures Loss
	// Stays says that the address may not move.
	Stays bool
	// Everywhere says that it harms all nodes.
	Everywhere bool
	// Quiet is how long all must be answered before it counts as over; 0 is the
	// usual time.
	Quiet time.Duration
	// Asked is how the addresses are asked meanwhile.
	Asked []Asked
	// Inflict harms a node, and returns what undoes that and waits until
	// everything is as before.
	Inflict func(ctx context.Context, b *Bench, node string) (undo, error)
}

// Loss is what counts of a fault.
type Loss string

// What may count.
const (
	// Outage is how long there was no answer.
	Outage Loss = "outage"
	// Lost is how many requests got none.
	Lost Loss = "requests lost"
)

type undo func(context.Context) error

// Asked is a client and how it asks.
type Asked struct {
	Kind   outage.Kind
	Remote bool
}

func (a Asked) host(s *site.Site) string {
	if a.Remote {
		return s.Remote
	}
	return s.Client
}

// datagrams are asked from the segment and from behind the router.
func datagrams() []Asked {
	return []Asked{{Kind: outage.Datagram}, {Kind: outage.Datagram, Remote: true}}
}

// Crash ends a node.
func Crash(count int) Fault {
	return Fault{Name: "crash", Count: count, Measures: Outage, Asked: datagrams(), Inflict: func(ctx context.Context, b *Bench, node string) (undo, error) {
		pids, err := b.system.Processes(ctx, node)
		if err != nil {
			return nil, err
		}
		if _, err := b.site.Crash(ctx, node, pids); err != nil {
			return nil, err
		}
		return func(ctx context.Context) error { return b.system.Revive(ctx, node) }, nil
	}}
}

// CrashAlone ends a node while the API server hangs.
func CrashAlone(count int) Fault {
	crash := Crash(count)
	return Fault{Name: "crash, API server down", Count: count, Measures: Outage, Asked: crash.Asked, Inflict: func(ctx context.Context, b *Bench, node string) (undo, error) {
		const server = "kube-apiserver"
		host := b.site.Cluster.Host("cp1")
		pids, err := b.system.Processes(ctx, node)
		if err != nil {
			return nil, err
		}
		if err := host.Signal(ctx, server, syscall.SIGSTOP); err != nil {
			return nil, err
		}
		if _, err := b.site.Crash(ctx, node, pids); err != nil {
			return nil, err
		}
		return func(ctx context.Context) error {
			if err := host.Signal(ctx, server, syscall.SIGCONT); err != nil {
				return err
			}
			return b.system.Revive(ctx, node)
		}, nil
	}}
}

// LinkDown ends a node's link alone.
func LinkDown(count int) Fault {
	return Fault{Name: "link down", Count: count, Measures: Outage, Asked: datagrams(), Inflict: func(ctx context.Context, b *Bench, node string) (undo, error) {
		host := b.site.Cluster.Host(node)
		return host.LinkUp, host.LinkDown(ctx)
	}}
}

// PortDown ends a node's link on the switch's side: the node loses the carrier.
func PortDown(count int) Fault {
	return Fault{Name: "carrier lost", Count: count, Measures: Outage, Asked: datagrams(), Inflict: func(ctx context.Context, b *Bench, node string) (undo, error) {
		host := b.site.Cluster.Host(node)
		return host.PortUp, host.PortDown(ctx)
	}}
}
