package balance

import (
	"testing"
	"time"
)

func TestFigures(t *testing.T) {
	bulk := map[string][]float64{direct: {100e6, 200e6, 100e6}, herald: {98e6, 190e6, 97e6}, haproxy: {90e6, 95e6, 99e6}}
	r := Result{Wire: bulk, Unlimited: bulk, Latency: map[string][]time.Duration{
		direct: {time.Millisecond, 2 * time.Millisecond}, herald: {time.Millisecond, 2 * time.Millisecond},
		haproxy: {time.Millisecond, 3 * time.Millisecond},
	}}
	targets := 0
	for _, f := range Figures(r) {
		for _, v := range f.Values {
			if v.Target != nil {
				targets++
				if !*v.Met {
					t.Errorf("%s: %v is not %s", f.Name, v.Value, v.Target)
				}
			}
		}
	}
	if targets != 4 {
		t.Errorf("%d targets", targets)
	}
	for _, f := range Figures(Result{}) {
		for _, v := range f.Values {
			if v.Met != nil && *v.Met {
				t.Errorf("%s: met by nothing", f.Name)
			}
		}
	}
}
