package election

import (
	"container/heap"
	"time"
)

// gather is for how long claims that are no longer tentative are gathered.
const gather = 25 * time.Millisecond

// clock counts the time that has passed, whatever becomes of the time of day: an
// instant before the last one is taken for the same.
type clock struct {
	last    time.Time
	elapsed time.Duration
}

func (c *clock) tick(now time.Time) {
	if !c.last.IsZero() {
		c.elapsed += max(0, now.Sub(c.last))
	}
	c.last = now
}

// agenda holds the addresses that something is due for, the first on top.
type agenda struct{ all []*address }

// set puts a on the agenda, or elsewhere on it.
func (g *agenda) set(a *address, due time.Duration) {
	a.due = due
	if a.slot < 0 {
		heap.Push(g, a)
	} else {
		heap.Fix(g, int(a.slot))
	}
}

func (g *agenda) remove(a *address) {
	if a.slot >= 0 {
		heap.Remove(g, int(a.slot))
	}
}

// Len is heap.Interface's.
func (g *agenda) Len() int { return len(g.all) }

// Less is heap.Interface's.
func (g *agenda) Less(i, j int) bool { return g.all[i].due < g.all[j].due }

// Swap is heap.Interface's.
func (g *agenda) Swap(i, j int) {
	g.all[i], g.all[j] = g.all[j], g.all[i]
	g.all[i].slot, g.all[j].slot = int32(i), int32(j)
}

// Push is heap.Interface's.
func (g *agenda) Push(x any) {
	a := x.(*address) //nolint:forcetypeassert // only set pushes
	a.slot = int32(len(g.all))
	g.all = append(g.all, a)
}

// Pop is heap.Interface's.
func (g *agenda) Pop() any {
	a := g.all[len(g.all)-1]
	g.all[len(g.all)-1] = nil
	g.all = g.all[:len(g.all)-1]
	a.slot = -1
	return a
}

// Next returns when Advance is due, false if it is not until something happens.
func (e *Election) Next(now time.Time) (time.Time, bool) {
	e.clock.tick(now)
	due := never
	if len(e.agenda.all) > 0 {
		due = e.agenda.all[0].due
	}
	for _, m := range e.roll {
		due = min(due, m.due)
	}
	if e.unready > 0 {
		due = min(due, e.awaiting+e.timing.Sync)
	}
	return now.Add(max(0, due-e.clock.elapsed)), due != never
}

// Advance does what is due.
func (e *Election) Advance(now time.Time) {
	e.clock.tick(now)
	enough := e.awaiting+e.timing.Sync <= e.clock.elapsed
	for _, m := range e.roll {
		if m.due <= e.clock.elapsed {
			e.ask(m)
		}
		if enough {
			e.admit(m)
		}
	}
	e.open()
	for len(e.agenda.all) > 0 && e.agenda.all[0].due <= e.clock.elapsed {
		e.expire(e.agenda.all[0])
	}
}

// expire does what is due for an address: its successor did not come, it is told
// that no stranger uses it, or it is this node's turn to claim it.
func (e *Election) expire(a *address) {
	switch {
	case a.own == yielding && e.fit(a):
		e.confirm(a)
	case a.own == yielding:
		e.drop(a)
	case a.own == tentative:
		e.confirm(a)
	}
	e.settle(a)
}
