// Package balance measures what it costs to go to an API server by the VIP's load
// balancer, beside going there directly and by HAProxy, on a segment of its own.
package balance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/heraldlb/herald/controlplane/balancer"
	"github.com/heraldlb/herald/controlplane/health"
)

// The names of the routes.
const (
	direct  = "direct"
	herald  = "Herald"
	haproxy = "HAProxy"
)

// Options say how much is measured.
type Options struct {
	// Self is the arguments that have this program be Balance.
	Self []string
	// Rounds is how often each route is measured, in turn with the others; Span how
	// long a round of bulk takes; Requests how many are made in a round.
	Rounds   int
	Span     time.Duration
	Requests int
}

// DefaultOptions are enough to tell routes from each other.
func DefaultOptions() Options { return Options{Rounds: 10, Span: time.Second, Requests: 1000} }

// Result is what was measured, by route.
type Result struct {
	// Wire and Unlimited are bytes a second, of each round, where each host sends a
	// Gbit a second at most, and where nothing but the processor limits.
	Wire, Unlimited map[string][]float64
	// Latency is of requests on new connections, one after another.
	Latency map[string][]time.Duration
}

// plan is what a balancer process is told.
type plan struct {
	CA        string
	Frontends []netip.AddrPort
	Backends  []netip.AddrPort
}

// Balance is a balancer process, with the plan as JSON, until ctx ends.
func Balance(ctx context.Context, text string, log io.Writer) error {
	var p plan
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return err
	}
	b := balancer.New(balancer.Options{
		Health: health.Options{CA: p.CA, ServerName: serverName}, Log: slog.New(slog.NewTextHandler(log, nil)),
	})
	b.SetFrontends(p.Frontends)
	b.SetBackends(p.Backends)
	return b.Run(ctx)
}

// Measure measures.
func Measure(ctx context.Context, options Options, out io.Writer) (result Result, err error) {
	dir, err := os.MkdirTemp("", "herald-balance")
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	ctx, cancel := context.WithCancel(ctx)
	running, ctx := errgroup.WithContext(ctx)
	defer func() { err = errors.Join(err, running.Wait()) }()
	defer cancel()
	s, err := newSegment(filepath.Join(dir, "ca.crt"))
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.start(ctx, running, options.Self, dir); err != nil {
		return result, err
	}
	if err := s.await(ctx); err != nil {
		return result, err
	}
	_, _ = fmt.Fprintln(out, "balance: requests on new connections")
	if result.Latency, err = s.latency(ctx, options); err != nil {
		return result, err
	}
	_, _ = fmt.Fprintln(out, "balance: bulk")
	if result.Unlimited, err = s.bulk(ctx, options); err != nil {
		return result, err
	}
	const gigabit = 1e9 / 8
	if err := s.limit(gigabit); err != nil {
		return result, err
	}
	_, _ = fmt.Fprintln(out, "balance: bulk, a Gbit a second")
	result.Wire, err = s.bulk(ctx, options)
	return result, err
}

func (s *segment) bulk(ctx context.Context, options Options) (map[string][]float64, error) {
	rates := make(map[string][]float64)
	for round := range options.Rounds {
		for _, r := range inTurn(s.routes, round) {
			// Twelve streams: chance does not leave a server without.
			rate, err := r.bulk(ctx, s.client, 12, options.Span)
			if err != nil {
				return rates, fmt.Errorf("bulk, %s: %w", r.name, err)
			}
			rates[r.name] = append(rates[r.name], rate)
		}
	}
	return rates, nil
}

func (s *segment) latency(ctx context.Context, options Options) (map[string][]time.Duration, error) {
	times := make(map[string][]time.Duration)
	err := s.client.do(func() error {
		for i := range options.Rounds * options.Requests {
			for _, r := range inTurn(s.routes, i) {
				took, _, err := r.request(ctx, i)
				if err != nil {
					return fmt.Errorf("request, %s: %w", r.name, err)
				}
				times[r.name] = append(times[r.name], took)
			}
		}
		return nil
	})
	return times, err
}

// inTurn has each be the first as often as the others.
func inTurn(routes []route, i int) []route {
	at := i % len(routes)
	return slices.Concat(routes[at:], routes[:at])
}
