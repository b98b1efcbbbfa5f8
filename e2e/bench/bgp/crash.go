package bgp

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/heraldlb/herald/e2e/bench/machine"
	"github.com/heraldlb/herald/e2e/bench/outage"
	"github.com/heraldlb/herald/e2e/bench/site"
)

const (
	// quiet is how long all must be answered before an outage counts as over.
	quiet = 250 * time.Millisecond
	// longest is how long an outage may last at most.
	longest = time.Minute
)

// Crash is what the crash of a node did to the client's requests to one address, of
// which a part took the way by that node.
type Crash struct {
	System string `json:"system"`
	Node   string `json:"node"`
	// Load is the machine's load average.
	Load float64 `json:"load"`
	outage.Result
}

// Family returns the name of the address's IP family.
func (c Crash) Family() string {
	if c.Target.Addr().Is4() {
		return "IPv4"
	}
	return "IPv6"
}

// Harm is for how long requests were lost, or had to wait.
func (c Crash) Harm() time.Duration { return max(c.Lossy, c.Outage) }

// Crashes starts a system, which figures call by that name, and has one node after the
// other crash, so often. What was measured before an error is returned with it.
func Crashes(ctx context.Context, s *site.Site, name string, system System, bfd bool, count int) (crashes []Crash, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s, crash: %w", name, err)
		}
	}()
	r, err := StartRouter(ctx, s, bfd)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Stop(context.WithoutCancel(ctx))) }()
	addresses, err := system.Start(ctx, r)
	defer func() { err = errors.Join(err, system.Stop(context.WithoutCancel(ctx))) }()
	if err != nil {
		return nil, err
	}
	b := bench{site: s, name: name, system: system, router: r, addresses: addresses}
	if err := b.ready(ctx); err != nil {
		return nil, err
	}
	probe, err := s.Ask(ctx, s.Remote, outage.Flows, addresses...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, probe.Stop()) }()
	for i := range count {
		found, err := b.once(ctx, probe, s.Nodes[i%len(s.Nodes)])
		crashes = append(crashes, found...)
		if err != nil {
			return crashes, fmt.Errorf("run %d: %w", i+1, err)
		}
		for _, crash := range found {
			s.Logf("%s, crash %d of %d, %s: %.0f ms, %d of %d lost, load %.1f",
				name, i+1, count, crash.Family(), crash.Harm().Seconds()*1000, crash.Lost, crash.Sent, crash.Load)
		}
	}
	return crashes, nil
}

type bench struct {
	site      *site.Site
	name      string
	system    System
	router    *Router
	addresses []netip.Addr
}

// ready waits until all nodes have their part of the packets.
func (b *bench) ready(ctx context.Context) error {
	if b.router.bfd {
		return b.router.Watched(ctx, b.addresses)
	}
	return b.router.Routed(ctx, b.addresses)
}

// once has one node crash, and come back.
func (b *bench) once(ctx context.Context, probe *outage.Probe, node string) ([]Crash, error) {
	if _, err := probe.Settle(ctx, quiet, longest); err != nil {
		return nil, err
	}
	pids, err := b.system.Processes(ctx, node)
	if err != nil {
		return nil, err
	}
	average, err := machine.Load()
	if err != nil {
		return nil, err
	}
	if err := probe.Begin(); err != nil {
		return nil, err
	}
	if _, err := b.site.Crash(ctx, node, pids); err != nil {
		return nil, err
	}
	results, err := probe.Settle(ctx, quiet, longest)
	if err != nil {
		return nil, errors.Join(err, b.system.Revive(ctx, node))
	}
	var crashes []Crash
	for _, result := range results {
		crashes = append(crashes, Crash{System: b.name, Node: node, Load: average, Result: result})
	}
	return crashes, errors.Join(b.system.Revive(ctx, node), b.ready(ctx))
}
