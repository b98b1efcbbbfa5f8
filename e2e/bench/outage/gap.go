package outage

import (
	"slices"

	"github.com/heraldlb/herald/e2e/bench/clock"
)

// measure sums up requests, in the order in which they were sent.
func measure(requests []Request) Result {
	result := Result{Sent: len(requests)}
	first, last := 0, 0    // of those that were lost
	var next clock.Instant // the first answer to this request or a later one
	for i, request := range slices.Backward(requests) {
		if i > 0 {
			result.Stall = max(result.Stall, request.Sent.Since(requests[i-1].Sent))
		}
		if request.Answered == 0 {
			if result.Lost == 0 {
				last = i
			}
			result.Lost++
			first = i
		} else if next == 0 || request.Answered < next {
			next = request.Answered
		}
		if next != 0 {
			result.Outage = max(result.Outage, next.Since(request.Sent))
		}
	}
	if result.Lost > 0 {
		result.Lossy = requests[min(last+1, len(requests)-1)].Sent.Since(requests[first].Sent)
	}
	return result
}

// steady says whether every request sent from one instant to another was
// answered, and there was one at all.
func steady(requests []Request, from, to clock.Instant) bool {
	some := false
	for _, request := range slices.Backward(requests) {
		if request.Sent < from {
			break
		}
		if request.Sent >= to {
			continue
		}
		if request.Answered == 0 {
			return false
		}
		some = true
	}
	return some
}
