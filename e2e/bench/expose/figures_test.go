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
	for name, want := range map[string]float64{
		"IPv4, created to first answer, p50":           250,
		"IPv4, created to first answer, p99":           495,
		"IPv4, created to first answer, max":           500,
		"IPv4, created to status written, p99":         1,
		"IPv4, created to claimed on the segment, p50": 0, // none was seen
	} {
		if got := figures[name].Value; got != want {
			t.Errorf("%s: got %g, want %g", name, got, want)
		}
	}
	if met := figures["IPv4, created to first answer, p50"].Met; met == nil || *met {
		t.Error("a p50 of 250 ms misses its target")
	}
	if met := figures["IPv4, created to first answer, p99"].Met; met == nil || !*met {
		t.Error("a p99 of 495 ms meets its target")
	}
	if count := figures["IPv4, created to claimed on the segment, p50"].Count; count != 0 {
		t.Errorf("counted %d claims that nobody saw", count)
	}
}
