package service

import (
	"cmp"
	"iter"
	"strings"

	"github.com/tidwall/btree"
)

// line holds the entries that wait for an address, the oldest Service first.
type line struct {
	entries *btree.BTreeG[*entry]
}

func newLine() line {
	return line{btree.NewBTreeGOptions(
		func(a, b *entry) bool { return byAge(a.claim, b.claim) < 0 },
		btree.Options{NoLocks: true}, // the book has one
	)}
}

// byAge orders claims by their Services' creation; those of the same second, by
// their names.
func byAge(a, b claim) int {
	return cmp.Or(
		a.created.Compare(b.created),
		strings.Compare(a.key.Namespace, b.key.Namespace),
		strings.Compare(a.key.Name, b.key.Name),
	)
}

func (l line) add(e *entry) { l.entries.Set(e) }

func (l line) remove(e *entry) { l.entries.Delete(e) }

// all yields the entries in order, as they are now: the line may be changed
// meanwhile.
func (l line) all() iter.Seq[*entry] {
	now := l.entries.Copy()
	return func(yield func(*entry) bool) { now.Scan(yield) }
}
