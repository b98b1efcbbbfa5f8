package main

import (
	"context"
	"errors"

	"github.com/heraldlb/herald/e2e/bench/failover"
	"github.com/heraldlb/herald/e2e/bench/site"
)

// What is measured, by the names that --only takes.
const (
	exposed   = "expose"
	crash     = "crash"
	apiDown   = "api-down"
	link      = "link"
	port      = "port"
	announcer = "announcer"
	agent     = "agent"
	drain     = "drain"
	exclude   = "exclude"
	roll      = "roll"
	partition = "partition"
	cost      = "cost"
	crowd     = "crowd"
	routed    = "bgp" // both of the next
	bgpCrash  = "bgp-crash"
	bgpRoutes = "bgp-routes"
	balancing = "balance"
	holding   = "controlplane"
)

func sections() []string {
	return []string{exposed, crash, apiDown, link, port, announcer, agent, drain, exclude, roll, partition, cost, crowd, routed, bgpCrash, bgpRoutes, balancing, holding}
}

// failovers inflicts faults on each implementation: on Herald all that are
// wanted, on the others a crash.
func (r *report) failovers(ctx context.Context, s *site.Site, options options) error {
	var failed error
	for _, name := range options.systems {
		title, implementation := system(s, name)
		faults := faultsOf(implementation, name, options)
		if len(faults) == 0 {
			continue
		}
		runs, err := failover.Measure(ctx, s, title, implementation, faults)
		r.Failovers = append(r.Failovers, runs...)
		r.Figures = append(r.Figures, failover.Figures(runs)...)
		if err != nil {
			s.Logf("%v", err)
		}
		failed = errors.Join(failed, err)
		if ctx.Err() != nil {
			break
		}
	}
	return failed
}

// faultsOf: the counts make a bench of minutes; the targets are meant for more.
func faultsOf(system failover.System, name string, options options) []failover.Fault {
	var faults []failover.Fault
	add := func(only string, fault failover.Fault) {
		if options.wants(only) {
			faults = append(faults, fault)
		}
	}
	ours, isHerald := system.(*failover.Herald)
	switch {
	case name == metalLB:
		add(crash, failover.Crash(options.count(3)))
	case name == keepalived:
		add(crash, failover.Crash(options.count(4)))
	case !isHerald || name == heraldFast:
		add(crash, failover.Crash(options.count(10)))
	default:
		add(crash, failover.Crash(options.count(20)))
		add(apiDown, failover.CrashAlone(options.count(5)))
		add(link, failover.LinkDown(options.count(6)))
		add(port, failover.PortDown(options.count(6)))
		add(announcer, ours.AnnouncerKilled(options.count(6)))
		add(agent, ours.AgentKilled(options.count(4)))
		add(agent, ours.AgentHangs(options.count(2)))
		add(agent, ours.AgentLoops(options.count(1)))
		add(drain, ours.Drained(options.count(6)))
		add(exclude, ours.Excluded(options.count(6)))
		add(roll, ours.Rolled(options.count(2)))
	}
	return faults
}
