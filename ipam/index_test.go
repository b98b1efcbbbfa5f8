package ipam

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestIndex compares the index with a map. Keys are positions; their hashes are
// few, and near the end of the table, so that they collide and wrap around.
func TestIndex(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hashes := rapid.SliceOfN(rapid.Uint32Range(minEntries-4, minEntries+2), 128, 128).Draw(t, "hashes")
		x, want := newIndex(), map[uint32]bool{}
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) {
				for position := range uint32(len(hashes)) {
					_, found := x.find(hashes[position], func(p uint32) bool { return p == position })
					if found != want[position] {
						t.Fatalf("position %d is found: %t", position, found)
					}
				}
				if x.used != len(want) {
					t.Fatalf("%d used, want %d", x.used, len(want))
				}
			},
			"insert": func(t *rapid.T) {
				for _, position := range rapid.SliceOf(rapid.Uint32Range(1, 127)).Draw(t, "positions") {
					if !want[position] {
						x.insert(hashes[position], position)
						want[position] = true
					}
				}
			},
			"remove": func(t *rapid.T) {
				for _, position := range slices.Sorted(maps.Keys(want)) {
					if rapid.Bool().Draw(t, "remove") {
						x.remove(hashes[position], position)
						delete(want, position)
					}
				}
			},
		})
	})
}
