package advertisement

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/heraldlb/herald/announcer/bgp"
)

// minutes is a journal whose events are kept.
type minutes struct {
	*journal
	now    time.Time
	events []string
}

func newMinutes() *minutes { return &minutes{journal: newJournal(), now: time.Unix(1000, 0)} }

func (m *minutes) note(after time.Duration, complaints []complaint, sessions ...bgp.Session) time.Duration {
	m.now = m.now.Add(after)
	return m.journal.note(m.now, sessions, complaints, func(_, reason, note string) {
		m.events = append(m.events, reason+": "+note)
	})
}

func (m *minutes) expect(t *testing.T, events ...string) {
	t.Helper()
	if diff := cmp.Diff(events, m.events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	m.events = nil
}

func up(peer string, flaps uint64) bgp.Session {
	return bgp.Session{Peer: peer, Address: addr("192.0.2.254"), ASN: 65001, State: bgp.Established, Flaps: flaps}
}

func down(reason string) bgp.Session {
	return bgp.Session{Peer: "rtr", Address: addr("192.0.2.254"), ASN: 65001, State: bgp.Active, Reason: reason}
}

const session = "the BGP session with rtr (192.0.2.254, AS 65001)"

func TestJournal(t *testing.T) {
	m := newMinutes()
	if again := m.note(0, nil, down("")); again != 0 {
		t.Errorf("nothing is known, and it asks to be called in %v", again)
	}
	if again := m.note(0, nil, down("connection refused")); again != doubt {
		t.Errorf("it waits %v, want %v", again, doubt)
	}
	m.expect(t)
	m.note(doubt, nil, down("connection refused"))
	m.note(time.Second, nil, down("connection refused"))
	m.expect(t, "BGPSessionDown: "+session+" does not come up: connection refused")
	m.note(time.Minute, nil, up("rtr", 0))
	m.note(time.Minute, nil, up("rtr", 0))
	m.expect(t, "BGPSessionUp: "+session+" is up")
	m.note(time.Minute, nil, up("rtr", 1))
	m.expect(t, "BGPSessionUp: "+session+" was lost, and is up again")
	m.note(time.Minute, nil, down("Hold Timer Expired"))
	m.expect(t, "BGPSessionDown: "+session+" is down: Hold Timer Expired")
	// It is up again before anybody would believe that it does not come up.
	m.note(time.Minute, nil, down("connection refused"))
	m.note(time.Second, nil, up("rtr", 2))
	m.expect(t, "BGPSessionUp: "+session+" is up")
}

// A router that comes and goes each second for an hour, beside one that is well.
func TestJournalOfFlaps(t *testing.T) {
	m := newMinutes()
	flaps := uint64(0)
	for range 1800 {
		m.note(time.Second, nil, up("rtr", flaps), up("well", 0))
		m.note(time.Second, nil, down("Hold Timer Expired"), up("well", 0))
		flaps++
	}
	well := 0
	for _, e := range m.events {
		if e == "BGPSessionUp: the BGP session with well (192.0.2.254, AS 65001) is up" {
			well++
		}
	}
	if most := eventBurst + 60 + 1; len(m.events)-well > most || well != 1 {
		t.Errorf("%d events of the one that flaps, want at most %d; %d of the other", len(m.events)-well, most, well)
	}
	// How it stands in the end is told, if late.
	m.events = nil
	wait := m.note(time.Second, nil, up("rtr", flaps), up("well", 0))
	for wait > 0 {
		wait = m.note(wait, nil, up("rtr", flaps), up("well", 0))
	}
	if last := m.entries["peer rtr"]; !last.up || last.flaps != flaps {
		t.Errorf("what was told last: %+v", last)
	}
}

func TestJournalOfComplaints(t *testing.T) {
	m := newMinutes()
	invalid, nothing := complaint{EventConfigInvalid, "an annotation is wrong"}, complaint{EventNothingSelected, "nothing is told"}
	silent := complaint{text: "an advertisement selects nothing"}
	m.note(0, []complaint{nothing}) // a moment, while all changes
	m.note(time.Second, nil)
	m.note(doubt, nil)
	m.expect(t)
	m.note(0, []complaint{invalid, nothing, silent})
	m.note(doubt, []complaint{invalid, nothing, silent})
	slices.Sort(m.events)
	m.expect(t, "BGPConfigInvalid: an annotation is wrong", "BGPNothingSelected: nothing is told")
	m.note(time.Hour, []complaint{invalid, nothing})
	m.expect(t)
	// It was mended, and is wrong again.
	m.note(time.Second, nil)
	m.note(time.Second, []complaint{invalid})
	m.note(doubt, []complaint{invalid})
	m.expect(t, "BGPConfigInvalid: an annotation is wrong")
}

// Peers come and go, and leave nothing behind.
func TestJournalForgets(t *testing.T) {
	m := newMinutes()
	for i := range 100 {
		m.note(eventInterval*eventBurst, nil, up(fmt.Sprint("rtr", i), 0))
	}
	if n := len(m.entries); n > 2 {
		t.Errorf("%d entries are left", n)
	}
}
