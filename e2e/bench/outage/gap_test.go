package outage

import (
	"testing"
	"time"

	"github.com/heraldlb/herald/e2e/bench/clock"
)

// every returns 100 requests each millisecond from 1 s, answered 0.1 ms later
// unless they were sent in the outage.
func every(from, to time.Duration) []Request {
	var requests []Request
	for i := range 100 {
		at := time.Duration(i) * time.Millisecond
		request := Request{Sent: clock.Instant(time.Second + at)}
		if at < from || at >= to {
			request.Answered = request.Sent.Add(100 * time.Microsecond)
		}
		requests = append(requests, request)
	}
	return requests
}

func TestMeasure(t *testing.T) {
	for _, test := range []struct {
		name   string
		from   time.Duration
		to     time.Duration
		lost   int
		outage time.Duration
	}{
		{"none", 0, 0, 0, 100 * time.Microsecond},
		{"one", 50 * time.Millisecond, 51 * time.Millisecond, 1, 1100 * time.Microsecond},
		{"a crash", 20 * time.Millisecond, 80 * time.Millisecond, 60, 60100 * time.Microsecond},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := measure(every(test.from, test.to))
			if got.Lost != test.lost || got.Outage != test.outage || got.Sent != 100 || got.Stall != time.Millisecond {
				t.Errorf("got %+v, want %d lost and an outage of %s", got, test.lost, test.outage)
			}
		})
	}
}

// TestMeasureLate: a request that waited for the new owner in the client's
// queue was answered, but late.
func TestMeasureLate(t *testing.T) {
	requests := every(20*time.Millisecond, 80*time.Millisecond)
	for i := 20; i < 80; i++ {
		requests[i].Answered = requests[80].Sent
	}
	if got := measure(requests); got.Lost != 0 || got.Outage < 60*time.Millisecond {
		t.Errorf("got %+v, want none lost and an outage of 60 ms", got)
	}
}

// TestMeasureStall: a prober that did not come to ask has seen no outage.
func TestMeasureStall(t *testing.T) {
	requests := every(0, 0)
	if got := measure(append(requests[:20], requests[80:]...)); got.Outage > time.Millisecond || got.Stall != 61*time.Millisecond {
		t.Errorf("got %+v, want no outage and a stall of 61 ms", got)
	}
}

// TestMeasureLossy: a part of the requests took a way that failed.
func TestMeasureLossy(t *testing.T) {
	requests := every(0, 0)
	for i := 21; i < 80; i += 3 {
		requests[i].Answered = 0
	}
	got := measure(requests)
	if got.Lost != 20 || got.Lossy != 58*time.Millisecond || got.Outage > 2*time.Millisecond {
		t.Errorf("got %+v, want 20 lost within 58 ms, and hardly any outage", got)
	}
}

func TestSteady(t *testing.T) {
	requests := every(20*time.Millisecond, 50*time.Millisecond)
	at := func(ms int) clock.Instant {
		return clock.Instant(time.Second).Add(time.Duration(ms) * time.Millisecond)
	}
	for _, test := range []struct {
		from, to int
		want     bool
	}{{0, 20, true}, {10, 30, false}, {49, 60, false}, {50, 90, true}, {200, 300, false}} {
		if got := steady(requests, at(test.from), at(test.to)); got != test.want {
			t.Errorf("from %d to %d ms: got %t", test.from, test.to, got)
		}
	}
}
