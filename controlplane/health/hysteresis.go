package health

// hysteresis turns single answers into a verdict that does not flap.
type hysteresis struct {
	failures, successes int // in a row, that it takes
	ready               bool
	// told: there was a verdict. row is how many answers in a row contradict it.
	told bool
	row  int
}

// take takes in an answer, and reports whether the verdict is another. The first
// success counts at once: nobody waits for a cluster that is just made.
func (h *hysteresis) take(ok bool) (changed bool) {
	if h.told && ok == h.ready {
		h.row = 0
		return false
	}
	h.row++
	switch {
	case !h.told && ok:
	case !h.told: // not ready until it is
		h.told, h.row = true, 0
		return true
	case ok && h.row < h.successes, !ok && h.row < h.failures:
		return false
	}
	h.told, h.ready, h.row = true, ok, 0
	return true
}

// contradicted reports whether the last answer was against the verdict.
func (h *hysteresis) contradicted() bool { return h.row > 0 }
