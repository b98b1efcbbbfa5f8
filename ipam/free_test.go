package ipam

import (
	"testing"

	"pgregory.net/rapid"
)

// TestFreeSet takes and gives numbers at both ends of the number line, where the
// neighbours wrap around.
func TestFreeSet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole := []interval{{uint128{lo: 0}, uint128{lo: 7}}, {uint128{lo: 7}.not(), uint128{}.not()}}
		s := newFreeSet(whole)
		taken := map[uint128]bool{}
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) {
				var want []interval
				for _, i := range whole {
					want = append(want, remaining(i, taken)...)
				}
				got := s.tree.Items()
				if len(got) != len(want) {
					t.Fatalf("free %v, want %v", got, want)
				}
				for i := range want {
					if got[i] != want[i] {
						t.Fatalf("free %v, want %v", got, want)
					}
				}
			},
			"turn": func(t *rapid.T) {
				u := uint128{lo: rapid.Uint64Range(0, 7).Draw(t, "number")}
				if rapid.Bool().Draw(t, "high") {
					u = u.not()
				}
				if taken[u] {
					s.give(u)
					delete(taken, u)
				} else {
					s.take(u)
					taken[u] = true
				}
			},
		})
	})
}

// remaining returns the intervals that are left of one, number by number.
func remaining(i interval, taken map[uint128]bool) (left []interval) {
	open := false
	for u := i.first; ; u = u.next() {
		if open = open && !taken[u]; open {
			left[len(left)-1].last = u
		} else if !taken[u] {
			left, open = append(left, interval{u, u}), true
		}
		if u == i.last {
			return left
		}
	}
}
