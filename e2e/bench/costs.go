package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/heraldlb/herald/e2e/bench/failover"
	"github.com/heraldlb/herald/e2e/bench/mass"
	"github.com/heraldlb/herald/e2e/bench/peers"
	"github.com/heraldlb/herald/e2e/bench/site"
	"github.com/heraldlb/herald/e2e/bench/steady"
)

// resting is how many Services there are while costs at rest are measured.
const resting = 1000

// partitions cuts Herald's owners off.
func (r *report) partitions(ctx context.Context, s *site.Site, options options) error {
	if !options.wants(partition) || !slices.Contains(options.systems, herald) {
		return nil
	}
	found, err := failover.Partitions(ctx, s, failover.NewHerald(s, false), options.count(5))
	r.Partitions = found
	r.Figures = append(r.Figures, failover.PartitionFigures(failover.HeraldDefault, found)...)
	return err
}

// crowds ends a node that owns many addresses: few of them first, for Services
// are made, but not removed.
func (r *report) crowds(ctx context.Context, s *site.Site, options options) error {
	if !slices.Contains(options.systems, herald) {
		return nil
	}
	made := 0
	for _, step := range []struct {
		count       int
		cost, crash bool
	}{
		{resting / 10, false, options.wants(crowd)},
		{resting, options.wants(cost), false},
		{options.many, options.wants(cost) && options.wants(crowd), options.wants(crowd)},
	} {
		if !step.cost && !step.crash {
			continue
		}
		addresses, err := s.ExposeMany(ctx, site.Many{Class: failover.HeraldClass, Family: corev1.IPv6Protocol}, made, step.count)
		if err != nil {
			return err
		}
		made = step.count
		if step.cost {
			if err := r.costOfHerald(ctx, s, options, made); err != nil {
				return err
			}
		}
		if !step.crash {
			continue
		}
		runs, err := mass.Measure(ctx, s, failover.NewHerald(s, false), addresses, options.count(2))
		r.Crowds = append(r.Crowds, runs...)
		r.Figures = append(r.Figures, mass.Figures(runs)...)
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *report) costOfHerald(ctx context.Context, s *site.Site, options options, count int) error {
	meter, err := steady.NewMeter(ctx, s, failover.HeraldNamespace)
	if err != nil {
		return err
	}
	running, err := s.Roles.Processes(ctx)
	if err != nil {
		return err
	}
	var processes []steady.Process
	for _, process := range running {
		processes = append(processes, steady.Process{Role: string(process.Role), Host: process.Host, PID: process.PID})
	}
	return r.cost(ctx, s, options.span, meter, steady.Subject{System: failover.HeraldDefault, Services: count, Processes: processes})
}

func (r *report) costOfMetalLB(ctx context.Context, s *site.Site, options options) (err error) {
	if !options.wants(cost) || !slices.Contains(options.systems, metalLB) {
		return nil
	}
	m := metallb(s)
	if err := m.Install(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Uninstall(context.WithoutCancel(ctx))) }()
	meter, err := steady.NewMeter(ctx, s, peers.MetalNamespace)
	if err != nil {
		return err
	}
	if _, err := s.ExposeMany(ctx, site.Many{Class: peers.MetalClass, Family: corev1.IPv6Protocol, Endpoint: true}, 0, resting); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.UnexposeMany(context.WithoutCancel(ctx), peers.MetalClass)) }()
	return r.cost(ctx, s, options.span, meter, steady.Subject{System: metalTitle, Services: resting, Processes: m.All()})
}

func (r *report) cost(ctx context.Context, s *site.Site, span time.Duration, meter *steady.Meter, of steady.Subject) error {
	s.Logf("%s: %d Services, at rest for %s", of.System, of.Services, span)
	m, err := steady.Measure(ctx, s, meter, of, span)
	if err != nil {
		return fmt.Errorf("%s, %d Services: %w", of.System, of.Services, err)
	}
	r.Costs = append(r.Costs, m)
	r.Figures = append(r.Figures, steady.Figures(m)...)
	return nil
}
