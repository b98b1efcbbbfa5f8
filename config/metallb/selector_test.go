package metallb

import (
	"testing"

	"pgregory.net/rapid"
)

// Of the parts of a list of selectors just one matches what the list does.
func TestParts(t *testing.T) {
	keys, values := rapid.SampledFrom([]string{"a", "b", "c"}), rapid.SampledFrom([]string{"", "x", "y"})
	one := rapid.Custom(func(t *rapid.T) requirement {
		q := requirement{key: keys.Draw(t, "key"), operator: rapid.SampledFrom([]string{opIn, opNotIn, opExists, opDoesNotExist}).Draw(t, "operator")}
		if q.operator == opIn || q.operator == opNotIn {
			q.values = rapid.SliceOfN(values, 1, 3).Draw(t, "values")
		}
		return q
	})
	rapid.Check(t, func(t *rapid.T) {
		var list []selector
		for range rapid.IntRange(0, 3).Draw(t, "selectors") {
			list = append(list, rapid.SliceOfN(one, 0, 3).Draw(t, "selector"))
		}
		all, ok := parts(list)
		if !ok {
			t.Fatalf("%v: more than %d parts", list, mostParts)
		}
		labels := rapid.MapOf(keys, values).Draw(t, "labels")
		want, got := 0, 0
		for _, s := range list {
			if s.matches(labels) {
				want = 1
			}
		}
		if len(list) == 0 {
			want = 1
		}
		for _, s := range all {
			if s.matches(labels) {
				got++
			}
		}
		if got != want {
			t.Errorf("%v match %v %d times, their parts %v %d times", list, labels, want, all, got)
		}
	})
}
