package sbom

import (
	"iter"
	"maps"
	"slices"
)

// sorted are the values of a map, in the order of their keys.
func sorted[V any](values map[string]V) iter.Seq[V] {
	return func(yield func(V) bool) {
		for _, key := range slices.Sorted(maps.Keys(values)) {
			if !yield(values[key]) {
				return
			}
		}
	}
}
