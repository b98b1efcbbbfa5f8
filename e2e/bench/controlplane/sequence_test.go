package controlplane

import (
	"reflect"
	"slices"
	"testing"

	"github.com/heraldlb/herald/e2e/plane"
)

// Whatever the seed: each step is possible when it comes, the first befalls the holder, all
// is well in the end, and the same seed has the same steps.
func TestSequence(t *testing.T) {
	components := []string{plane.APIServer, plane.Announcer, plane.ControlPlane}
	seen := make(map[string]bool)
	for seed := range uint64(2000) {
		steps := newSequence(seed, components)
		if !reflect.DeepEqual(steps, newSequence(seed, components)) {
			t.Fatalf("seed %d: other steps the second time", seed)
		}
		if steps[0].host != 0 {
			t.Errorf("seed %d: the first befalls host %d", seed, steps[0].host)
		}
		m := newModel(hosts, components)
		for _, s := range steps {
			seen[s.component+" "+string(s.act)] = true
			bare := s
			bare.pause = 0
			if s.pause < 0 || s.pause > longestPause || !slices.Contains(m.possible(s.host), bare) && s.act != healed {
				t.Fatalf("seed %d: %+v is not possible", seed, s)
			}
			m.take(s)
		}
		if left := m.mending(); len(left) > 0 {
			t.Fatalf("seed %d: left %v", seed, left)
		}
	}
	for _, component := range components {
		for _, a := range []act{killed, stopped, continued, started} {
			if !seen[component+" "+string(a)] {
				t.Errorf("%s is never %s", component, a)
			}
		}
	}
	for _, a := range []act{crashes, boots, parted, healed} {
		if !seen[" "+string(a)] {
			t.Errorf("no host ever %s", a)
		}
	}
}
