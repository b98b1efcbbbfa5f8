package bfd

import (
	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/bfd/packet"
)

// Statuses returns how the sessions stand, in the order of the peers.
func (s *Sessions) Statuses() []announcer.BFDStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]announcer.BFDStatus, 0, len(s.entries))
	for _, e := range s.entries {
		all = append(all, s.status(e))
	}
	return all
}

// Complaints are what keeps sessions from being, in words, for somebody to mend.
func (s *Sessions) Complaints() (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.entries {
		if e.fault != "" {
			all = append(all, "no BFD with "+e.peer.Address.String()+": "+e.fault)
		}
	}
	return all
}

func (s *Sessions) status(e *entry) announcer.BFDStatus {
	status := announcer.BFDStatus{
		Address: e.peer.Address, State: announcer.BFDDown, Since: e.since, Diagnostic: e.fault, Flaps: e.flaps,
	}
	if s.leaving.Load() {
		status.State, status.Diagnostic = announcer.BFDAdminDown, packet.Administrative.String()
	}
	if e.line == nil {
		return status
	}
	r := e.line.report.Load()
	if r == nil {
		return status
	}
	status.State, status.Diagnostic = r.word(), r.diagnostic.String()
	status.Since, status.Flaps = s.begin.Add(r.since), e.flaps+r.flaps
	return status
}

func (r *report) word() announcer.BFDState {
	switch {
	case r.state == packet.Up:
		return announcer.BFDUp
	case r.state == packet.Init:
		return announcer.BFDInit
	case r.state == packet.AdminDown || r.onPurpose:
		return announcer.BFDAdminDown
	default:
		return announcer.BFDDown
	}
}

// read logs what the thread had to tell, and reports whether Statuses changed.
func (d *desk) read() bool {
	told := false
	for _, e := range d.entries {
		now := d.status(e)
		if now == e.told {
			continue
		}
		before := e.told
		e.told, told = now, true
		switch {
		case now.State == announcer.BFDUp:
			d.log.Info("a router is seen by BFD", "router", now.Address)
		case now.Flaps > before.Flaps:
			d.log.Warn("a router is lost by BFD", "router", now.Address, "diagnostic", now.Diagnostic, "flaps", now.Flaps)
		case before.State == announcer.BFDUp:
			d.log.Info("a router has taken BFD down", "router", now.Address)
		}
	}
	return told
}

// Samples returns the metrics.
func (s *Sessions) Samples() []announcer.Sample {
	states := make(map[announcer.BFDState]int)
	flaps := s.counts.flaps.Load()
	for _, status := range s.Statuses() {
		states[status.State]++
		flaps += status.Flaps
	}
	all := s.counts.samples()
	for _, state := range [...]announcer.BFDState{announcer.BFDAdminDown, announcer.BFDDown, announcer.BFDInit, announcer.BFDUp} {
		all = append(all, announcer.Sample{Metric: "herald_bfd_sessions", State: string(state), Value: float64(states[state])})
	}
	return append(all, announcer.Sample{Metric: "herald_bfd_flaps_total", Value: float64(flaps)})
}
