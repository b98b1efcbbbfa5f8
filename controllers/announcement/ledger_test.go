package announcement

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/heraldlb/herald/announcer"
)

// steps is what happens to one address on node a.
type steps struct {
	ledger *ledger
}

func (s steps) decided(owner string) {
	s.ledger.decided(addr("192.0.2.1"), decision{owner: owner})
}

func (s steps) observed(state announcer.State) {
	s.ledger.observed(announcer.Status{Address: addr("192.0.2.1"), State: state})
}

func (s steps) released() { s.ledger.released(addr("192.0.2.1")) }

func TestLedgerForgets(t *testing.T) {
	s := steps{newLedger("a")}
	s.observed(announcer.Announced) // told before the first pass, after a restart
	s.decided("a")
	s.released()
	if rec := s.ledger.look(addr("192.0.2.1")); rec.held || rec.owner != "" {
		t.Errorf("released, and yet %+v", rec)
	}
	s.observed(announcer.Withdrawn)
	s.decided("b")
	s.released()
	if n := len(s.ledger.records); n != 0 {
		t.Errorf("%d records are left of an address that is gone", n)
	}
}

// While the announcer is away every address that is held is reported on, and
// those that come meanwhile; its return ends that.
func TestAnnouncerAway(t *testing.T) {
	var reported []netip.Addr
	o := &observer{ledger: newLedger("a"), report: func(addr netip.Addr) { reported = append(reported, addr) }}
	steps{o.ledger}.decided("a")
	o.ledger.observed(announcer.Status{Address: addr("192.0.2.2"), State: announcer.Announced})
	o.Away()
	if !slices.Equal(reported, addrs("192.0.2.1")) {
		t.Errorf("reported on %v, want what is held", reported)
	}
	for _, text := range []string{"192.0.2.1", "192.0.2.3"} {
		if !o.ledger.look(addr(text)).away {
			t.Errorf("%s: the announcer is not away", text)
		}
	}
	o.Reset()
	if o.ledger.look(addr("192.0.2.1")).away {
		t.Error("the announcer is away after its return")
	}
}

// What another connection said of an address is not known to be so on this one.
func TestLedgerReset(t *testing.T) {
	s := steps{newLedger("a")}
	s.observed(announcer.Announced)
	s.decided("a")
	s.ledger.observed(announcer.Status{Address: addr("192.0.2.2"), State: announcer.Announced})
	s.ledger.reset()
	rec := s.ledger.look(addr("192.0.2.1"))
	if rec.status.State != "" || !rec.held || rec.owner != "a" {
		t.Errorf("after a reset: %+v, want the decision alone", rec)
	}
	if n := len(s.ledger.records); n != 1 {
		t.Errorf("%d records, want that of the address that is held", n)
	}
}
