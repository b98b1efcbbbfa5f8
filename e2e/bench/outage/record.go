package outage

import (
	"maps"
	"sync"

	"github.com/heraldlb/herald/e2e/bench/clock"
)

// record keeps what became of the requests to one target since the last begin.
type record struct {
	mu       sync.Mutex
	base     int // number of the first request kept
	requests []Request
	voices   map[string]Voice
	broken   int // connections
}

// ask notes a request, and returns its number.
func (r *record) ask(at clock.Instant) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, Request{Sent: at})
	return r.base + len(r.requests) - 1
}

// answer notes the answer of a request; those of requests that are no longer
// kept, and second ones, count for nothing.
func (r *record) answer(number int, at clock.Instant) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := number - r.base
	if i >= 0 && i < len(r.requests) && r.requests[i].Answered == 0 {
		r.requests[i].Answered = at
	}
}

// hear notes an answer that does not say to which request: to all that wait.
func (r *record) hear(station string, at clock.Instant) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := len(r.requests) - 1; i >= 0 && r.requests[i].Answered == 0; i-- {
		r.requests[i].Answered = at
	}
	voice, known := r.voices[station]
	if !known {
		voice.First = at
	}
	voice.Last = at
	r.voices[station] = voice
}

// lose notes that a connection broke.
func (r *record) lose() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.broken++
}

// begin forgets everything.
func (r *record) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.base += len(r.requests)
	r.requests = nil
	r.voices = map[string]Voice{}
	r.broken = 0
}

// steady says whether all was answered between two instants.
func (r *record) steady(from, to clock.Instant) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return steady(r.requests, from, to)
}

// result sums up what was sent until an instant.
func (r *record) result(until clock.Instant) Result {
	r.mu.Lock()
	defer r.mu.Unlock()
	end := len(r.requests)
	for end > 0 && r.requests[end-1].Sent > until {
		end--
	}
	result := measure(r.requests[:end])
	result.Broken = r.broken
	result.Voices = maps.Clone(r.voices)
	return result
}
