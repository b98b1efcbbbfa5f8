package announcement

import (
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/election"
)

// segment settles between the wires of a test who owns an address, at once and
// by the rules: who owns it keeps it while it may.
type segment struct {
	mu      sync.Mutex
	changed chan struct{}
	wires   []*wire
	sitting map[netip.Addr]seat
	// offLink are on no wire's link.
	offLink map[netip.Addr]bool
}

// seat is who owns an address, and on what terms.
type seat struct {
	owner *wire
	terms string // what was named of interfaces
}

func newSegment() *segment {
	return &segment{changed: make(chan struct{}), sitting: make(map[netip.Addr]seat), offLink: make(map[netip.Addr]bool)}
}

// change runs f, and wakes whoever awaits a change.
func (s *segment) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	close(s.changed)
	s.changed = make(chan struct{})
}

// leave is the farewell of a wire.
func (s *segment) leave(w *wire) {
	s.change(func() {
		addresses := w.said
		w.said = make(map[netip.Addr]announcer.Candidacy)
		for addr := range addresses {
			s.settle(addr)
		}
	})
}

// settle finds the owner of addr, and has those wires report to whom it is news.
func (s *segment) settle(addr netip.Addr) {
	before := s.sitting[addr]
	now := before
	if before.owner == nil || !before.owner.stands(addr) || s.offLink[addr] {
		now.owner = s.foremost(addr)
	}
	if now.owner == nil {
		delete(s.sitting, addr)
	} else {
		now.terms = now.owner.said[addr].Interface
		s.sitting[addr] = now
	}
	for _, w := range s.wires {
		c, told := w.said[addr]
		switch {
		case !told:
		case w != now.owner:
			w.server.Report(s.standby(addr, now.owner))
		case now != before:
			if before.owner == nil {
				w.probed[addr] = w.probed[addr] || c.Probe
			}
			w.server.Report(w.statusOf(c))
		}
	}
}

func (s *segment) standby(addr netip.Addr, owner *wire) announcer.Status {
	status := announcer.Status{Address: addr, State: announcer.Standby, Since: time.Now()}
	if owner != nil {
		status.Owner = owner.node
	}
	if s.offLink[addr] {
		status.State = announcer.OffLink
	}
	return status
}

func (s *segment) foremost(addr netip.Addr) *wire {
	names := make(map[string]*wire)
	var all []string
	for _, w := range s.wires {
		if w.stands(addr) && !s.offLink[addr] {
			names[w.node] = w
			all = append(all, w.node)
		}
	}
	for _, name := range election.Heaviest(addr, all, 1) {
		return names[name]
	}
	return nil
}

// ownerOf waits until addr has an owner, and returns it.
func (s *segment) ownerOf(t *testing.T, addr netip.Addr) (owner *wire) {
	t.Helper()
	s.await(t, addr.String()+" to have an owner", func() bool {
		owner = s.sitting[addr].owner
		return owner != nil
	}, nil)
	return owner
}

// await waits until ok, which is called with the segment locked, as is state,
// which tells what there is instead.
func (s *segment) await(t *testing.T, what string, ok func() bool, state func() any) {
	t.Helper()
	timeout := time.After(patience)
	for {
		s.mu.Lock()
		done, changed := ok(), s.changed
		s.mu.Unlock()
		if done {
			return
		}
		select {
		case <-changed:
		case <-timeout:
			s.mu.Lock()
			defer s.mu.Unlock()
			if state == nil {
				state = func() any { return s.sitting }
			}
			t.Fatalf("waited in vain for %s; there is %v", what, state())
		}
	}
}
