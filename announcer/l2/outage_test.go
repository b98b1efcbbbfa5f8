package l2

import (
	"testing"
	"time"
)

// A port that fails again and again is left alone for longer and longer; one
// that worked for a while is not. Another port has outages of its own.
func TestOutages(t *testing.T) {
	all, now := make(outages), time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	port, other := portKey{epoch: 1, family: v4}, portKey{epoch: 1, family: v6}
	fail := func(key portKey, want time.Duration) {
		t.Helper()
		until := all.begin(now, key)
		if until.Sub(now) != want {
			t.Errorf("left alone for %s, want %s", until.Sub(now), want)
		}
		if at, ok := all.next(); !ok || at != until {
			t.Errorf("next at %s, %v, want %s", at, ok, until)
		}
		if ended := all.end(until.Add(-1)); len(ended) > 0 {
			t.Errorf("%v ended early", ended)
		}
		now = until
		if ended := all.end(now); len(ended) != 1 || ended[0] != key {
			t.Errorf("ended: %v, want %v", ended, key)
		}
		if _, ok := all.next(); ok || len(all.end(now)) > 0 {
			t.Error("an outage ended twice")
		}
	}
	for _, want := range []int{1, 2, 4, 8, 16, 32, 60, 60} {
		fail(port, time.Duration(want)*time.Second)
	}
	fail(other, firstOutage)
	now = now.Add(longestOutage)
	all.end(now)
	fail(port, firstOutage)
	now = now.Add(longestOutage)
	if all.end(now); len(all) > 0 {
		t.Errorf("left over: %v", all)
	}
}
