// Package soak counts changes of owner on a machine that is loaded, where none
// should be: nobody has failed.
package soak

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/heraldlb/herald/e2e/bench/clock"
	"github.com/heraldlb/herald/e2e/bench/failover"
	"github.com/heraldlb/herald/e2e/bench/figure"
	"github.com/heraldlb/herald/e2e/bench/site"
)

const (
	// addresses is how many addresses could change their owner.
	addresses = 30
	// patience is how long it may take until each has one.
	patience = time.Minute
	// losses drops one heartbeat in a hundred on its way to each node; netem,
	// which would, is not in every kernel. The port is Herald's default.
	losses = "udp dport 9645 numgen random mod 100 < 1 drop"
)

// Result is what a soak found.
type Result struct {
	Span      time.Duration `json:"span"`
	Addresses int           `json:"addresses"`
	Changes   []Moved       `json:"changes"`
	strain                  // its stalls are timed from the start, as are the changes
}

// Moved is one change of owner.
type Moved struct {
	Address netip.Addr `json:"address"`
	Owner   string     `json:"owner"`
	// After is when, since the start.
	After time.Duration `json:"after"`
}

// Measure loads all processors, stops announcers for up to 50 ms and drops one
// heartbeat in a hundred, for a while.
func Measure(ctx context.Context, s *site.Site, span time.Duration) (result Result, err error) {
	watch, err := startWatch(ctx, s)
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, watch.stop()) }()
	held, err := s.ExposeMany(ctx, site.Many{Class: failover.HeraldClass, Family: corev1.IPv6Protocol}, 0, addresses)
	if err != nil {
		return result, err
	}
	if err := watch.await(ctx, held); err != nil {
		return result, err
	}
	result = Result{Span: span, Addresses: len(held)}
	start, err := clock.Now()
	if err != nil {
		return result, err
	}
	if err := s.Cluster.Drop(ctx, losses); err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, s.Cluster.Drop(context.WithoutCancel(ctx))) }()
	result.strain, err = load(ctx, s, span)
	if err != nil {
		return result, err
	}
	for _, change := range watch.changes(held) {
		if change.At < start {
			continue
		}
		owner := change.MAC
		if host, ok := s.Cluster.Owner(change.MAC); ok {
			owner = host.Name
		}
		result.Changes = append(result.Changes, Moved{change.Address, owner, change.At.Since(start)})
	}
	for i := range result.Stalls {
		result.Stalls[i].At -= start
	}
	return result, s.UnexposeMany(ctx, failover.HeraldClass)
}

// Figures returns what a soak found against the target.
func Figures(r Result) []figure.Figure {
	name := fmt.Sprintf("herald, %s of load, stops of up to %s, 1 %% of heartbeats lost, %d addresses", r.Span, longest, r.Addresses)
	var stops, took []float64
	for _, pauses := range r.Pauses {
		stops = append(stops, float64(pauses.Count))
		took = append(took, float64(pauses.Longest.Microseconds())/1000)
	}
	var stalls []float64
	for _, stall := range r.Stalls {
		stalls = append(stalls, float64(stall.Length.Microseconds())/1000)
	}
	return []figure.Figure{
		figure.Single(name+", changes of owner", "changes", float64(len(r.Changes)), 1, figure.AtMost(0)),
		figure.Quantiles(name+", stops of each announcer", "stops", stops),
		figure.Quantiles(name+", longest stop of each announcer", "ms", took),
		figure.Quantiles(name+", stalls of the machine itself", "ms", stalls),
	}
}
