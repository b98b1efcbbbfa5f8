package election

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestHeaviest(t *testing.T) {
	names := nodes(20)
	for _, addr := range addrs(50) {
		all := Heaviest(addr, names, len(names))
		left := slices.Clone(names)
		for i, name := range all {
			// The foremost is the one elected, and then the foremost of the rest.
			if foremost, _ := Elect(addr, left); name != foremost {
				t.Fatalf("%s: number %d is %s, want %s", addr, i, name, foremost)
			}
			left = slices.DeleteFunc(left, func(other string) bool { return other == name })
		}
		shuffled := slices.Clone(names)
		rand.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if few := Heaviest(addr, shuffled, 3); !slices.Equal(few, all[:3]) {
			t.Errorf("%s: the first three of %v are not %v", addr, all, few)
		}
	}
	if !slices.Equal(names, nodes(20)) {
		t.Error("the names were put in another order")
	}
}

func TestHeaviestOfFew(t *testing.T) {
	addr := addrs(1)[0]
	if none := Heaviest(addr, nil, 3); none == nil || len(none) != 0 {
		t.Errorf("of none: %#v, want an empty list, not nil", none)
	}
	if two := Heaviest(addr, []string{"a", "b"}, 3); len(two) != 2 {
		t.Errorf("three of two: %v", two)
	}
}
