package controlplane

import (
	"strings"
	"testing"
	"time"

	"github.com/heraldlb/herald/e2e/plane"
)

// A target is missed by what is over it, and by what failed where nothing may.
func TestFigures(t *testing.T) {
	const ms = time.Millisecond
	run := func(fault string, outage time.Duration, failed int) Run {
		return Run{System: "heartbeat", Fault: fault, Outage: outage, Failed: failed}
	}
	sequence := func(system string, dual ...time.Duration) Sequence {
		return Sequence{System: system, Spans: make([]plane.Span, 1), Dual: dual, Recovered: time.Second}
	}
	// One that has no good end counts.
	lost := func(system string, dual ...time.Duration) Sequence {
		s := sequence(system, dual...)
		s.Recovered = 0
		return s
	}
	good := Result{
		Runs:      []Run{run("host crashes", 120*ms, 7), run("API server killed", 900*ms, 3), run("Herald told to end", 12*ms, 0)},
		Sequences: []Sequence{sequence("heartbeat", 3*ms, 20*ms), sequence("raft")},
	}
	bad := Result{
		Runs:      []Run{run("host crashes", 320*ms, 7), run("API server killed", 1600*ms, 3), run("Herald told to end", 12*ms, 1)},
		Sequences: []Sequence{sequence("heartbeat", 3*ms), lost("heartbeat", 26*ms), sequence("raft"), lost("raft", ms)},
	}
	for _, test := range []struct {
		Result
		met bool
	}{{good, true}, {bad, false}} {
		targets := 0
		for _, f := range Figures(test.Result) {
			if !strings.HasPrefix(f.Name, "control plane, ") {
				t.Errorf("%q", f.Name)
			}
			for _, v := range f.Values {
				if v.Target == nil {
					continue
				}
				targets++
				if *v.Met != test.met {
					t.Errorf("%s: %v, %s, met: %t", f.Name, v.Value, v.Target, *v.Met)
				}
			}
		}
		if targets != 8 {
			t.Errorf("%d targets", targets)
		}
	}
	if all := Figures(Result{}); len(all) != 0 {
		t.Errorf("of nothing: %v", all)
	}
}
