package announcement

import (
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/controllers/advertisement"
)

// steps is what happens to one address on node a.
type steps struct {
	ledger *ledger
}

func (s steps) decided(eligible bool) {
	s.ledger.decided(addr("192.0.2.1"), decision{eligible: eligible})
}

func (s steps) observed(state announcer.State) {
	s.ledger.observed(announcer.Status{Address: addr("192.0.2.1"), State: state})
}

func (s steps) released() { s.ledger.released(addr("192.0.2.1")) }

func TestLedgerForgets(t *testing.T) {
	s := steps{newLedger()}
	s.observed(announcer.Announced) // told before the first pass, after a restart
	s.decided(true)
	s.released()
	if rec := s.ledger.look(addr("192.0.2.1")); rec.held || rec.eligible {
		t.Errorf("released, and yet %+v", rec)
	}
	s.observed(announcer.Withdrawn)
	s.decided(false)
	s.released()
	if n := len(s.ledger.records); n != 0 {
		t.Errorf("%d records are left of an address that is gone", n)
	}
}

// While the announcer is away every address that is held is reported on, and
// those that come meanwhile; its return ends that.
func TestAnnouncerAway(t *testing.T) {
	var reported []netip.Addr
	alone, view := true, new(LatestView)
	o := &observer{
		ledger: newLedger(), view: view, owned: new(Owned), alone: func(is bool) { alone = is },
		report: func(addr netip.Addr) { reported = append(reported, addr) },
		paths:  advertisement.New(advertisement.Options{Log: slog.New(slog.DiscardHandler)}),
	}
	o.ObserveView(announcer.View{Node: "a", Alone: true})
	if got, ok := view.Get(); !ok || got.Node != "a" || !alone {
		t.Errorf("the view is %+v, alone %v", got, alone)
	}
	steps{o.ledger}.decided(true)
	o.ledger.observed(announcer.Status{Address: addr("192.0.2.2"), State: announcer.Announced})
	o.Away()
	if !slices.Equal(reported, addrs("192.0.2.1")) {
		t.Errorf("reported on %v, want what is held", reported)
	}
	if got, ok := view.Get(); ok || alone {
		t.Errorf("the announcer is away, and yet the view is %+v, alone %v", got, alone)
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
	s := steps{newLedger()}
	s.observed(announcer.Announced)
	s.decided(true)
	s.ledger.observed(announcer.Status{Address: addr("192.0.2.2"), State: announcer.Announced})
	s.ledger.reset()
	rec := s.ledger.look(addr("192.0.2.1"))
	if rec.status.State != "" || !rec.held || !rec.eligible {
		t.Errorf("after a reset: %+v, want the decision alone", rec)
	}
	if n := len(s.ledger.records); n != 1 {
		t.Errorf("%d records, want that of the address that is held", n)
	}
}

// The time of a change is that of what decides who reports, and of nothing else.
func TestLedgerTimesChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, vip := steps{newLedger()}, addr("192.0.2.1")
		var last time.Time
		for _, step := range []struct {
			name    string
			do      func()
			changes bool
		}{
			{"held", func() { s.decided(true) }, true},
			{"the same decision", func() { s.decided(true) }, false},
			{"a word", func() { s.observed(announcer.Standby) }, true},
			{"the same word", func() { s.observed(announcer.Standby) }, false},
			{"another decision", func() { s.decided(false) }, true},
			{"an owner", func() { s.ledger.observed(announcer.Status{Address: vip, State: announcer.Standby, Owner: "b"}) }, true},
			{"its time", func() {
				s.ledger.observed(announcer.Status{Address: vip, State: announcer.Standby, Owner: "b", Since: time.Now()})
			}, false},
			{"a fault", func() { s.ledger.decided(vip, decision{invalid: errors.New("bad")}) }, true},
			{"the same fault", func() { s.ledger.decided(vip, decision{invalid: errors.New("bad")}) }, false},
			{"a connection", s.ledger.reset, true},
		} {
			<-time.After(time.Second)
			step.do()
			now := s.ledger.look(vip).changed
			if now.Equal(last) == step.changes {
				t.Errorf("%s: changed at %v, before that at %v", step.name, now, last)
			}
			last = now
		}
	})
}
