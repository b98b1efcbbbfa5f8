package expose

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/heraldlb/herald/e2e/bench/figure"
)

func TestFigures(t *testing.T) {
	var runs []Run
	for i := range 100 {
		runs = append(runs, Run{Family: corev1.IPv4Protocol, Status: time.Millisecond, Reached: time.Duration(100-i) * 5 * time.Millisecond})
	}
	figures := map[string]figure.Figure{}
	for _, f := range Figures(runs) {
		figures[f.Name] = f
	}
	for name, want := range map[string][]float64{
		"IPv4, created to first answer":           {250, 495, 500},
		"IPv4, created to status written":         {1, 1, 1},
		"IPv4, created to claimed on the segment": {0, 0, 0}, // none was seen
	} {
		for i, value := range figures[name].Values {
			if value.Value != want[i] {
				t.Errorf("%s, %s: got %g, want %g", name, value.Of, value.Value, want[i])
			}
		}
	}
	first := figures["IPv4, created to first answer"].Values
	if met := first[0].Met; met == nil || *met {
		t.Error("a p50 of 250 ms misses its target")
	}
	if met := first[1].Met; met == nil || !*met {
		t.Error("a p99 of 495 ms meets its target")
	}
	if count := figures["IPv4, created to claimed on the segment"].Count; count != 0 {
		t.Errorf("counted %d claims that nobody saw", count)
	}
}
