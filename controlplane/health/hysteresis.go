package health

// hysteresis tells a server that turned from one that stumbled.
type hysteresis struct {
	failures, successes int

	// known: it was said once if the server is ready; was: it has been ready once.
	known, was, ready bool
	// streak is how many probes in a row were other than what is said.
	streak int
}

// observe takes the outcome of a probe, and reports if that changes what is said.
func (h *hysteresis) observe(ok bool) (changed bool) {
	if h.known && ok == h.ready {
		h.streak = 0
		return false
	}
	h.streak++
	if h.streak < h.wanted(ok) {
		return false
	}
	h.known, h.ready, h.was, h.streak = true, ok, h.was || ok, 0
	return true
}

// wanted is how many outcomes in a row it takes to say so.
func (h *hysteresis) wanted(ok bool) int {
	switch {
	case !ok:
		return h.failures
	case !h.was:
		return 1
	}
	return h.successes
}

// doubtful: the last probe was other than what is said.
func (h *hysteresis) doubtful() bool { return h.streak > 0 }
