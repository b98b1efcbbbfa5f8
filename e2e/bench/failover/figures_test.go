package failover

import (
	"net/netip"
	"testing"
	"time"

	"github.com/heraldlb/herald/e2e/bench/figure"
	"github.com/heraldlb/herald/e2e/bench/outage"
)

func TestFigures(t *testing.T) {
	v4 := outage.Result{Target: netip.MustParseAddrPort("192.0.2.1:7")}
	run := func(system, fault string, measures Loss, change func(*Run)) Run {
		r := Run{System: system, Fault: fault, Measures: measures, Client: "client", Kind: outage.Datagram, Owner: true, Result: v4}
		change(&r)
		return r
	}
	figures := map[string]figure.Figure{}
	for _, f := range Figures([]Run{
		run(HeraldDefault, "crash", Outage, func(r *Run) { r.Outage = 90 * time.Millisecond }),
		run(HeraldDefault, "crash", Outage, func(r *Run) { r.Outage = 160 * time.Millisecond }),
		run(HeraldDefault, "crash", Outage, func(r *Run) { r.Owner, r.Lost = false, 3 }),
		run("MetalLB", "crash", Outage, func(r *Run) { r.Outage = 6 * time.Second }),
		run(HeraldDefault, "agent killed", Lost, func(r *Run) { r.Stays, r.Moved = true, true }),
		run(HeraldDefault, podDeleted, Lost, func(r *Run) { r.Kind, r.Lost = outage.Connection, 3 }),
		run(HeraldDefault, podDeleted, Lost, func(r *Run) { r.Kind, r.Broken = outage.Kept, 7 }),
	}) {
		figures[f.Name] = f
	}
	for _, want := range []struct {
		name  string
		index int // of the value
		value float64
		met   string
	}{
		{"herald, crash, client by udp, IPv4, outage", 0, 90, "met"},
		{"herald, crash, client by udp, IPv4, outage", 1, 160, "MISSED"},
		{"herald, crash, addresses of other nodes, requests lost", 2, 3, ""},
		{"MetalLB, crash, client by udp, IPv4, outage", 2, 6000, ""},
		{"herald, agent killed, client by udp, IPv4, changes of owner", 0, 1, "MISSED"},
		{"herald, agent killed, client by udp, IPv4, requests lost", 2, 0, "met"},
		{"herald, Pod deleted, client by tcp, IPv4, requests lost", 2, 3, "MISSED"},
		{"herald, Pod deleted, client, IPv4, of 50 established connections broke", 2, 7, ""},
	} {
		f, ok := figures[want.name]
		if !ok {
			t.Errorf("no figure %q", want.name)
			continue
		}
		got := f.Values[want.index]
		met := ""
		if got.Met != nil {
			met = map[bool]string{true: "met", false: "MISSED"}[*got.Met]
		}
		if got.Value != want.value || met != want.met {
			t.Errorf("%s, %s: got %g %q, want %g %q", want.name, got.Of, got.Value, met, want.value, want.met)
		}
	}
}
