package controlplane

import (
	"context"
	"errors"
	"slices"
	"syscall"
	"time"

	"github.com/heraldlb/herald/e2e/bench/figure"
	"github.com/heraldlb/herald/e2e/lab"
	"github.com/heraldlb/herald/e2e/plane"
)

// fault is what happens to the VIP's holder.
type fault struct {
	name  string
	count int
	// path is what the client asks for.
	path string
	harm func(context.Context, *plane.Plane, lab.Host) error
	// stays says that the VIP need not move; gone that nobody can ask who had it.
	stays, gone bool
	mend        func(context.Context, *plane.Plane, lab.Host) error
	// orderly says that no request may fail; else the outage is what counts, with
	// limits for its p50, p99 and maximum in milliseconds, 0 for none.
	orderly bool
	limits  []float64
}

// aimed sets limits for the outage.
func (f fault) aimed(limits ...float64) fault {
	f.limits = limits
	return f
}

// staying is a fault after which the VIP need not move.
func (f fault) staying() fault {
	f.stays = true
	return f
}

func (f fault) targets() (all []*figure.Target) {
	for _, limit := range f.limits {
		var target *figure.Target
		if limit > 0 {
			target = figure.AtMost(limit)
		}
		all = append(all, target)
	}
	return all
}

// misses reports whether an outage is longer than all limits.
func (f fault) misses(outage time.Duration) bool {
	return len(f.limits) > 0 && outage > time.Duration(slices.Max(f.limits))*time.Millisecond
}

// ready is what clients ask for, unless that is to fail.
const ready = "/readyz"

// crash ends the host.
func crash(count int) fault {
	return fault{
		name: "host crashes", count: count, path: ready, gone: true,
		harm: func(ctx context.Context, _ *plane.Plane, h lab.Host) error { return h.Crash(ctx) },
		mend: func(ctx context.Context, _ *plane.Plane, h lab.Host) error { return h.Boot(ctx) },
	}
}

// serverKilled ends the API server, and nothing else.
func serverKilled(count int) fault {
	return fault{
		name: "API server killed", count: count, path: ready,
		harm: signal(syscall.SIGKILL, plane.APIServer), mend: startAgain(plane.APIServer),
	}
}

// serverHangs has the API server answer nothing, and refuse nothing.
func serverHangs(count int) fault {
	return fault{
		name: "API server hangs", count: count, path: ready,
		harm: signal(syscall.SIGSTOP, plane.APIServer), mend: signal(syscall.SIGCONT, plane.APIServer),
	}
}

// told ends Herald as a kubelet ends a Pod.
func told(count int, components ...string) fault {
	return fault{
		name: "Herald told to end", count: count, path: ready, orderly: true,
		harm: signal(syscall.SIGTERM, components...), mend: startAgain(components...),
	}
}

// unready has the API server say that it is about to end; it answers all but /readyz
// meanwhile.
func unready(count int) fault {
	return fault{
		name: "API server not ready", count: count, path: "/livez", orderly: true,
		harm: signal(syscall.SIGTERM, plane.APIServer),
		mend: func(ctx context.Context, p *plane.Plane, h lab.Host) error {
			running, _, err := p.Processes(ctx, h)
			if err != nil {
				return err
			}
			// Not to wait until the last of its clients has gone.
			if slices.Contains(running, plane.APIServer) {
				if err := h.Signal(ctx, plane.APIServer, syscall.SIGKILL); err != nil {
					return err
				}
			}
			return startAgain(plane.APIServer)(ctx, p, h)
		},
	}
}

// signal sends a signal to components of a host.
func signal(s syscall.Signal, components ...string) func(context.Context, *plane.Plane, lab.Host) error {
	return func(ctx context.Context, _ *plane.Plane, h lab.Host) (err error) {
		for _, component := range components {
			err = errors.Join(err, h.Signal(ctx, component, s))
		}
		return err
	}
}

// startAgain starts components of a host when they have ended.
func startAgain(components ...string) func(context.Context, *plane.Plane, lab.Host) error {
	return func(ctx context.Context, p *plane.Plane, h lab.Host) (err error) {
		for _, component := range components {
			if err := p.Ended(ctx, h, component); err != nil {
				return err
			}
			err = errors.Join(err, h.Start(ctx, component))
		}
		return err
	}
}
