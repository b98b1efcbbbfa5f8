package failover

import (
	"context"
	"syscall"

	"github.com/heraldlb/herald/e2e/bench/outage"
	"github.com/heraldlb/herald/e2e/bench/site"
)

// Fault is a way to fail.
type Fault struct {
	Name string
	// Count is how often it is inflicted.
	Count int
	// Asked is how the addresses are asked meanwhile.
	Asked []Asked
	// Inflict harms a node, and returns what undoes that and waits until
	// everything is as before.
	Inflict func(ctx context.Context, b *Bench, node string) (undo, error)
}

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
	return Fault{Name: "crash", Count: count, Asked: datagrams(), Inflict: func(ctx context.Context, b *Bench, node string) (undo, error) {
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
	return Fault{Name: "crash, API server down", Count: count, Asked: crash.Asked, Inflict: func(ctx context.Context, b *Bench, node string) (undo, error) {
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
	return Fault{Name: "link down", Count: count, Asked: datagrams(), Inflict: func(ctx context.Context, b *Bench, node string) (undo, error) {
		host := b.site.Cluster.Host(node)
		return host.LinkUp, host.LinkDown(ctx)
	}}
}
