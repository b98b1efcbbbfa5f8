package plane

import (
	"context"
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/heraldlb/herald/e2e/lab"
)

// By BGP, all control planes have the VIP whose API server is ready, and the router, which
// is BIRD, spreads a client's connections over them. The client is behind it.
func TestBGP(t *testing.T) {
	parameters := Parameters(lab.BGP)
	parameters.Family = lab.Dual
	s := newScene(t, parameters)
	for _, test := range []struct {
		name string
		run  func(*scene, context.Context)
	}{
		{"an API server is not ready", (*scene).testNotReady},
		{"an API server is killed", (*scene).testRoutedServerKilled},
		{"a node leaves", (*scene).testRoutedLeave},
		{"who tells the router is killed", (*scene).testTellerKilled},
		{"an announcer is killed", (*scene).testRoutedAnnouncerKilled},
		{"a node crashes", (*scene).testRoutedCrash},
	} {
		t.Run(test.name, func(t *testing.T) {
			here := *s
			here.t = t
			test.run(&here, bounded(t))
		})
	}
}

// hops are the control planes that the router's kernel spreads a VIP's connections over.
func (s *scene) hops(ctx context.Context, vip netip.Addr) []string {
	s.t.Helper()
	flag := "-4"
	if vip.Is6() {
		flag = "-6"
	}
	output, err := s.Host("router").Run(ctx, "ip", flag, "-json", "route", "show", "exact", netip.PrefixFrom(vip, vip.BitLen()).String())
	s.must(err)
	type hop struct {
		Gateway netip.Addr `json:"gateway"`
	}
	var routes []struct {
		hop
		NextHops []hop `json:"nexthops"`
	}
	s.must(json.Unmarshal(output, &routes))
	all := []string{}
	for _, route := range routes {
		for _, hop := range append(route.NextHops, route.hop) {
			for _, host := range s.ControlPlanes() {
				if slices.Contains(host.Addresses, hop.Gateway) {
					all = append(all, host.Name)
				}
			}
		}
	}
	slices.Sort(all)
	return all
}

// routed waits until these control planes alone are the next hops of all VIPs.
func (s *scene) routed(ctx context.Context, want ...string) {
	s.t.Helper()
	for _, vip := range s.VIPs() {
		var got []string
		err := Await(ctx, func() (bool, error) {
			got = s.hops(ctx, vip)
			return slices.Equal(got, want), nil
		})
		if err != nil {
			s.t.Fatalf("next hops of %s are %v, want %v: %v", vip, got, want, err)
		}
	}
}

// all waits until each control plane is ready, has the VIPs and is a next hop.
func (s *scene) all(ctx context.Context) time.Time {
	s.t.Helper()
	s.must(s.Ready(ctx))
	s.routed(ctx, names(s.ControlPlanes())...)
	now := time.Now()
	s.steady(ctx, now, 300*time.Millisecond)
	return now
}

// others are all control planes but one.
func (s *scene) others(but lab.Host) (all []string) {
	for _, host := range s.ControlPlanes() {
		if host.Name != but.Name {
			all = append(all, host.Name)
		}
	}
	return all
}

// onLo waits until a host has the VIPs on lo, and nowhere else, or none.
func (s *scene) onLo(ctx context.Context, host lab.Host, want bool) {
	s.t.Helper()
	for _, vip := range s.VIPs() {
		s.must(Await(ctx, func() (bool, error) {
			output, err := host.Run(ctx, "ip", "-oneline", "address", "show", "to", vip.String())
			text := string(output)
			return (text != "") == want && (text == "" || strings.Contains(text, ": lo ") || strings.Contains(text, "1: lo")), err
		}))
	}
}

// An API server that is not ready is withdrawn while it still answers, so that no request
// fails; its node asks another by the VIP. It is advertised again when it is ready.
func (s *scene) testNotReady(ctx context.Context) {
	host := s.ControlPlanes()[1]
	since := s.all(ctx)
	s.onLo(ctx, host, true)
	// Without its etcd, an API server answers, and is not ready.
	s.must(s.Stop(ctx, host, Etcd))
	s.routed(ctx, s.others(host)...)
	s.t.Logf("withdrawn after %s", time.Since(since))
	s.onLo(ctx, host, false)
	_, err := host.Run(ctx, "curl", "--insecure", "--silent", "--fail", "--max-time", "5", s.URL("/readyz"))
	s.must(err)
	s.must(s.Continue(ctx, host, Etcd))
	s.all(ctx)
	s.onLo(ctx, host, true)
	s.window(ctx, since, "the API server of "+host.Name+" not ready, and ready again")
}

func (s *scene) testRoutedServerKilled(ctx context.Context) {
	host := s.ControlPlanes()[1]
	since := s.all(ctx)
	s.must(host.Signal(ctx, APIServer, syscall.SIGKILL))
	s.routed(ctx, s.others(host)...)
	s.window(ctx, since, "the API server of "+host.Name+" killed")
	s.must(host.Start(ctx, APIServer))
	s.all(ctx)
}

// Who is told to end withdraws first, and answers whom that has not reached.
func (s *scene) testRoutedLeave(ctx context.Context) {
	host := s.ControlPlanes()[0]
	since := s.all(ctx)
	for _, component := range []string{Announcer, ControlPlane} {
		s.must(host.Signal(ctx, component, syscall.SIGTERM))
	}
	s.routed(ctx, s.others(host)...)
	s.onLo(ctx, host, false)
	for _, a := range Failed(s.window(ctx, since, host.Name+" leaves")) {
		s.t.Errorf("lost, after %s: %s", a.Took, a.Error)
	}
	s.must(Start(ctx, host, Announcer))
	s.must(Start(ctx, host, ControlPlane))
	s.all(ctx)
}

// The router keeps the route until the next one tells it again: nothing is lost.
func (s *scene) testTellerKilled(ctx context.Context) {
	host := s.ControlPlanes()[0]
	since := s.all(ctx)
	s.must(host.Signal(ctx, ControlPlane, syscall.SIGKILL))
	s.must(Start(ctx, host, ControlPlane))
	s.must(Await(ctx, func() (bool, error) {
		text, err := s.Log(ctx, host.Name+"/"+ControlPlane+".log")
		return strings.Count(string(text), "BGP session established") > 0, err
	}))
	s.all(ctx)
	for _, a := range Failed(s.window(ctx, since, "what tells the router of "+host.Name+" killed")) {
		s.t.Errorf("lost, after %s: %s", a.Took, a.Error)
	}
	s.onLo(ctx, host, true)
}

// Nobody is led to a node whose kernel will take the VIP off.
func (s *scene) testRoutedAnnouncerKilled(ctx context.Context) {
	host := s.ControlPlanes()[2]
	since := s.all(ctx)
	s.must(host.Signal(ctx, Announcer, syscall.SIGKILL))
	s.routed(ctx, s.others(host)...)
	s.must(Start(ctx, host, Announcer))
	s.all(ctx)
	s.window(ctx, since, "the announcer of "+host.Name+" killed")
}

// BFD tells the router, long before the hold time.
func (s *scene) testRoutedCrash(ctx context.Context) {
	host := s.ControlPlanes()[2]
	since := s.all(ctx)
	s.must(host.Crash(ctx))
	s.routed(ctx, s.others(host)...)
	s.window(ctx, since, host.Name+" crashes")
	s.must(host.Boot(ctx))
	s.all(ctx)
}
