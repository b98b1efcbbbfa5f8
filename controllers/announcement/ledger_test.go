package announcement

import (
	"testing"

	"github.com/heraldlb/herald/announcer"
)

// steps is what happens to one address on node a.
type steps struct {
	t      *testing.T
	ledger *ledger
}

func (s steps) decided(owner string, fresh bool) {
	s.t.Helper()
	if got := s.ledger.decided(addr("192.0.2.1"), decision{owner: owner}); got != fresh {
		s.t.Errorf("owned by %q: fresh %v, want %v", owner, got, fresh)
	}
}

func (s steps) observed(state announcer.State) {
	s.ledger.observed(announcer.Status{Address: addr("192.0.2.1"), State: state})
}

func (s steps) released() { s.ledger.released(addr("192.0.2.1")) }

func TestFreshAddresses(t *testing.T) {
	for name, play := range map[string]func(steps){
		"there before us": func(s steps) {
			s.decided("a", false)
			s.ledger.watch()
			s.decided("a", false)
		},
		"new, and ours": func(s steps) {
			s.ledger.watch()
			s.decided("a", true)
			s.observed(announcer.Probing)
			s.decided("a", true)
			s.observed(announcer.Announced)
			s.decided("a", false)
		},
		"new, and another's first": func(s steps) {
			s.ledger.watch()
			s.decided("b", false)
			s.decided("a", false)
		},
		"new, and nobody's at first": func(s steps) {
			s.ledger.watch()
			s.decided("", true)
			s.decided("a", true)
		},
		"gone and new again": func(s steps) {
			s.decided("a", false)
			s.ledger.watch()
			s.released()
			s.observed(announcer.Withdrawn)
			s.decided("a", true)
		},
	} {
		t.Run(name, func(t *testing.T) { play(steps{t, newLedger("a")}) })
	}
}

func TestLedgerForgets(t *testing.T) {
	s := steps{t, newLedger("a")}
	s.observed(announcer.Announced) // told before the first pass, after a restart
	s.decided("a", false)
	s.released()
	if rec := s.ledger.look(addr("192.0.2.1")); rec.held || rec.owner != "" {
		t.Errorf("released, and yet %+v", rec)
	}
	s.observed(announcer.Withdrawn)
	s.decided("b", false)
	s.released()
	if n := len(s.ledger.records); n != 0 {
		t.Errorf("%d records are left of an address that is gone", n)
	}
}
