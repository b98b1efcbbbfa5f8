package main

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/heraldlb/herald/e2e/bench/balance"
	"github.com/heraldlb/herald/e2e/bench/controlplane"
	"github.com/heraldlb/herald/e2e/bench/expose"
	"github.com/heraldlb/herald/e2e/bench/figure"
	"github.com/heraldlb/herald/e2e/bench/site"
	"github.com/heraldlb/herald/e2e/bench/soak"
	"github.com/heraldlb/herald/e2e/lab"
	"github.com/heraldlb/herald/e2e/suite/ground"
)

type options struct {
	services int
	pace     time.Duration
	only     []string
	systems  []string
	runs     int
	many     int
	routes   int
	span     time.Duration
	soak     time.Duration
	reuse    bool
	json     string

	sequences int
	seed      uint64
	electors  []string
}

func (o options) wants(name string) bool { return len(o.only) == 0 || slices.Contains(o.only, name) }

func (o options) count(normal int) int {
	if o.runs > 0 {
		return o.runs
	}
	return normal
}

// measure measures, and prints: what was measured before an error too.
func measure(ctx context.Context, options options, files []string, out io.Writer) (err error) {
	figures, err := readGoBenchmarks(files)
	if err != nil {
		return err
	}
	result := report{Figures: figures}
	err = errors.Join(result.balance(ctx, options, out), result.onLab(ctx, options, out), result.controlPlane(ctx, options, out))
	if options.json != "" {
		err = errors.Join(err, result.write(options.json))
	}
	return errors.Join(err, figure.WriteTable(out, result.Figures))
}

// balance measures the load balancer of the VIP, which needs no lab.
func (r *report) balance(ctx context.Context, options options, out io.Writer) error {
	if options.soak > 0 || !options.wants(balancing) {
		return nil
	}
	with := balance.DefaultOptions()
	with.Self, with.Rounds = []string{balancing}, options.count(with.Rounds)
	result, err := balance.Measure(ctx, with, out)
	r.Balance = &result
	r.Figures = append(r.Figures, balance.Figures(result)...)
	return err
}

// controlPlane measures who holds the VIP, on labs of its own.
func (r *report) controlPlane(ctx context.Context, options options, out io.Writer) error {
	if options.soak > 0 || !options.wants(holding) {
		return nil
	}
	result, err := controlplane.Measure(ctx, controlplane.Options{
		Ask: []string{asking}, Runs: options.runs, Sequences: options.sequences, Seed: options.seed, Electors: options.electors,
	}, out)
	r.Plane = &result
	r.Figures = append(r.Figures, controlplane.Figures(result)...)
	return err
}

// onLab brings a cluster up, measures what else is wanted, and takes it down.
func (r *report) onLab(ctx context.Context, options options, out io.Writer) (err error) {
	others := slices.DeleteFunc(sections(), func(name string) bool { return name == balancing || name == holding })
	if options.soak == 0 && !slices.ContainsFunc(others, options.wants) {
		return nil
	}
	base, down, err := ground.Lab(ctx, lab.Defaults(), options.reuse, out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, down(context.WithoutCancel(ctx))) }()
	return r.measure(ctx, base, options, out)
}

func (r *report) measure(ctx context.Context, base ground.Ground, options options, out io.Writer) error {
	if options.soak == 0 && options.wants(exposed) {
		runs, err := expose.Measure(ctx, base, options.services, options.pace, out)
		if err != nil {
			return err
		}
		r.Exposures = runs
		r.Figures = append(r.Figures, expose.Figures(runs)...)
	}
	s, err := site.Open(ctx, base, out)
	if err != nil {
		return err
	}
	defer s.Close(context.WithoutCancel(ctx))
	if options.soak > 0 {
		return r.soak(ctx, s, options.soak)
	}
	// One that fails keeps nothing else from being measured.
	var failed error
	for _, part := range r.parts() {
		if err := part(ctx, s, options); err != nil {
			s.Logf("%v", err)
			failed = errors.Join(failed, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return failed
}

func (r *report) parts() []func(context.Context, *site.Site, options) error {
	return []func(context.Context, *site.Site, options) error{r.failovers, r.partitions, r.bgp, r.costOfMetalLB, r.crowds}
}

func (r *report) soak(ctx context.Context, s *site.Site, span time.Duration) error {
	result, err := soak.Measure(ctx, s, span)
	if err != nil {
		return err
	}
	r.Soak = &result
	r.Figures = append(r.Figures, soak.Figures(result)...)
	return nil
}
