package failover

import (
	"testing"

	"github.com/heraldlb/herald/e2e/bench/outage"
)

func TestOverlap(t *testing.T) {
	first, last := overlap(map[string]outage.Voice{
		"old": {First: 10, Last: 140},
		"new": {First: 100, Last: 500},
	})
	if first != 100 || last != 140 {
		t.Errorf("two owners from %d to %d, want 100 to 140", first, last)
	}
	// The newcomer may be the one that gives way.
	first, last = overlap(map[string]outage.Voice{
		"old": {First: 10, Last: 500},
		"new": {First: 100, Last: 140},
	})
	if first != 100 || last != 140 {
		t.Errorf("two owners from %d to %d, want 100 to 140", first, last)
	}
}
