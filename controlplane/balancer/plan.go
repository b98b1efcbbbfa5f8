package balancer

import (
	"net/netip"
	"slices"
)

// backend is an API server, and what is known of it.
type backend struct {
	addr netip.AddrPort
	// local: it runs on this host.
	local        bool
	ready, alive bool
}

// service is where new connections to a frontend go, each to one of the targets.
type service struct {
	frontend netip.AddrPort
	targets  []netip.AddrPort
}

func (s service) equal(other service) bool {
	return s.frontend == other.frontend && slices.Equal(s.targets, other.targets)
}

// plan decides where connections go. forwards says if the host forwards packets of
// a family. A frontend without targets is left to the host itself: its own API
// server, if any, listens on the VIP too.
func plan(frontends []netip.AddrPort, backends []backend, forwards func(is4 bool) bool) []service {
	services := make([]service, 0, len(frontends))
	for _, f := range frontends {
		var usable []backend
		for _, b := range backends {
			if b.addr.Addr().Is4() == f.Addr().Is4() && (b.local || forwards(f.Addr().Is4())) {
				usable = append(usable, b)
			}
		}
		if targets := choose(usable); len(targets) > 0 {
			services = append(services, service{f, targets})
		}
	}
	slices.SortFunc(services, func(a, b service) int { return a.frontend.Compare(b.frontend) })
	return services
}

// choose returns those that are ready. If none is, the local one: what is wrong is
// wrong with all, and its own answer says more than silence, and sooner. Else those
// that answer at all, and else any: the probes may be what is wrong.
func choose(backends []backend) []netip.AddrPort {
	for _, good := range []func(backend) bool{
		func(b backend) bool { return b.ready },
		func(b backend) bool { return b.local },
		func(b backend) bool { return b.alive },
		func(backend) bool { return true },
	} {
		var chosen []netip.AddrPort
		for _, b := range backends {
			if good(b) {
				chosen = append(chosen, b.addr)
			}
		}
		if chosen != nil {
			slices.SortFunc(chosen, netip.AddrPort.Compare)
			return slices.Compact(chosen)
		}
	}
	return nil
}
