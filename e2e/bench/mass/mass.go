// Package mass measures how long it takes until all of many addresses answer
// from new owners, after the node that owned them all crashed.
package mass

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"time"

	"github.com/heraldlb/herald/e2e/bench/clock"
	"github.com/heraldlb/herald/e2e/bench/failover"
	"github.com/heraldlb/herald/e2e/bench/figure"
	"github.com/heraldlb/herald/e2e/bench/site"
)

const (
	// gather is how long it may take until one node owns everything, patience
	// until other nodes do.
	gather   = 2 * time.Minute
	patience = 30 * time.Second
)

// Run is the crash of a node that owned many addresses.
type Run struct {
	Addresses int `json:"addresses"`
	// First and Last are when the first and the last address was claimed by
	// another node, since the crash.
	First time.Duration `json:"first"`
	Last  time.Duration `json:"last"`
	// Median is when half of them were.
	Median time.Duration `json:"median"`
}

// Measure gathers the addresses on one node, ends it, and brings it back; on
// another node each time.
func Measure(ctx context.Context, s *site.Site, herald *failover.Herald, addresses []netip.Addr, count int) ([]Run, error) {
	var runs []Run
	for i := range count {
		run, err := once(ctx, s, herald, addresses, s.Nodes[i%len(s.Nodes)])
		if err != nil {
			return runs, fmt.Errorf("crash with %d addresses: %w", len(addresses), err)
		}
		runs = append(runs, run)
		s.Logf("crash with %d addresses, %d of %d: the first claimed after %s, the last after %s",
			len(addresses), i+1, count, run.First, run.Last)
	}
	return runs, nil
}

func once(ctx context.Context, s *site.Site, herald *failover.Herald, addresses []netip.Addr, node string) (Run, error) {
	others := s.Others(node)
	for _, other := range others {
		if err := herald.Exclude(ctx, other); err != nil {
			return Run{}, err
		}
	}
	all, err := await(ctx, s, addresses, gather, nil, node)
	for _, other := range others {
		err = errors.Join(err, herald.Include(ctx, other))
	}
	if err != nil {
		return Run{}, fmt.Errorf("%s has %d: %w", node, len(all), err)
	}
	pids, err := herald.Processes(ctx, node)
	if err != nil {
		return Run{}, err
	}
	var crashed clock.Instant
	claimed, err := await(ctx, s, addresses, patience, func() (err error) {
		crashed, err = s.Crash(ctx, node, pids)
		return err
	}, others...)
	if err != nil {
		return Run{}, errors.Join(fmt.Errorf("other nodes have %d: %w", len(claimed), err), herald.Revive(ctx, node))
	}
	run := Run{
		Addresses: len(addresses),
		First:     claimed[0].Since(crashed),
		Median:    claimed[len(claimed)/2].Since(crashed),
		Last:      claimed[len(claimed)-1].Since(crashed),
	}
	return run, herald.Revive(ctx, node)
}

var errMissing = errors.New("addresses are missing")

// await waits until nodes have claimed all addresses, once listening calls
// begun, and returns when each was first, in order.
func await(ctx context.Context, s *site.Site, addresses []netip.Addr, patience time.Duration, begun func() error, nodes ...string) ([]clock.Instant, error) {
	task := Task{Interface: s.Interface, Addresses: addresses, Patience: patience}
	for _, node := range nodes {
		task.Stations = append(task.Stations, s.Cluster.Host(node).MAC)
	}
	cmd := s.Self(ctx, s.Client, "survey")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	var ready, found Found
	decoder := json.NewDecoder(out)
	err = errors.Join(json.NewEncoder(in).Encode(task), decoder.Decode(&ready))
	if err == nil && begun != nil {
		err = begun()
	}
	err = errors.Join(err, decoder.Decode(&found), cmd.Wait())
	if err == nil && len(found.First) < len(addresses) {
		err = fmt.Errorf("%w: %d of %d claimed", errMissing, len(found.First), len(addresses))
	}
	return slices.Sorted(slices.Values(found.First)), err
}

// Figures sums runs up: with 10,000 addresses the last one has a target, in
// milliseconds.
func Figures(runs []Run) []figure.Figure {
	var order []int
	groups := map[int][]Run{}
	for _, run := range runs {
		if groups[run.Addresses] == nil {
			order = append(order, run.Addresses)
		}
		groups[run.Addresses] = append(groups[run.Addresses], run)
	}
	var figures []figure.Figure
	for _, addresses := range order {
		part := func(name string, of func(Run) time.Duration, targets ...*figure.Target) figure.Figure {
			var times []time.Duration
			for _, run := range groups[addresses] {
				times = append(times, of(run))
			}
			return figure.Times(fmt.Sprintf("herald, crash with %d addresses, IPv6, %s", addresses, name), times, targets...)
		}
		figures = append(figures,
			part("first claimed", func(r Run) time.Duration { return r.First }),
			part("half claimed", func(r Run) time.Duration { return r.Median }),
			part("last claimed", func(r Run) time.Duration { return r.Last }, nil, nil, figure.AtMost(500)))
	}
	return figures
}
