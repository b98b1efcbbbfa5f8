package membership

import "github.com/heraldlb/herald/membership/wire"

// window refuses sequences that were seen before. They may come in disorder, by
// less than 64 (as in RFC 4303 section 3.4.3).
type window struct {
	top  uint64
	seen uint64 // bit n: top-n was
}

func (w *window) admit(sequence uint64) drop {
	switch {
	case sequence > w.top:
		if w.seen <<= min(sequence-w.top, 64); sequence-w.top >= 64 {
			w.seen = 0
		}
		w.top = sequence
		w.seen |= 1
		return taken
	case w.top-sequence >= 64:
		return drop(wire.Replayed)
	case w.seen&(1<<(w.top-sequence)) != 0:
		return duplicate
	}
	w.seen |= 1 << (w.top - sequence)
	return taken
}
