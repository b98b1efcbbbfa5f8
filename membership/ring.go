package membership

import "sync/atomic"

// ring is a bounded queue from one goroutine to another. Neither ever waits: not
// even for a lock whose holder was put to sleep.
type ring[T any] struct {
	slots      []T
	head, tail atomic.Uint64 // head is the reader's, tail the writer's
	staged     uint64        // slots that are written, and not yet published
}

func newRing[T any](size int) *ring[T] { return &ring[T]{slots: make([]T, size)} }

// reserve returns the next slot to write, nil if the ring is full.
func (r *ring[T]) reserve() *T {
	tail := r.tail.Load() + r.staged
	if tail-r.head.Load() == uint64(len(r.slots)) {
		return nil
	}
	return &r.slots[tail%uint64(len(r.slots))]
}

// stage keeps the reserved slot for publish.
func (r *ring[T]) stage() { r.staged++ }

// publish hands what was staged to the reader.
func (r *ring[T]) publish() {
	if r.staged > 0 {
		r.tail.Add(r.staged)
		r.staged = 0
	}
}

// peek returns the next slot to read, nil if there is none.
func (r *ring[T]) peek() *T {
	head := r.head.Load()
	if head == r.tail.Load() {
		return nil
	}
	return &r.slots[head%uint64(len(r.slots))]
}

// release gives the slot that was read back to the writer.
func (r *ring[T]) release() { r.head.Add(1) }
