package membership

import (
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/election"
)

// However many names a stranger thinks of, and however late the reader of the news
// is, what is kept is bounded.
func TestStrangersTakeUpBoundedRoom(t *testing.T) {
	tr := newTranscript()
	d, ring := tr.detector, newRing[news](newsRoom) // which nobody reads
	for i := range 20 * maxMembers {
		h := hearing{
			at: tr.now, link: 1, source: netip.MustParseAddr("192.0.2.66"), node: fmt.Appendf(nil, "n%d", i), incarnation: 1, sequence: 1,
			interval: time.Second, multiplier: 2, traffic: new(traffic),
		}
		d.hear(&h)
		h.sequence, h.farewell = 2, true
		d.hear(&h)
		d.probes = d.probes[:0]
		d.write(ring)
		tr.now += time.Millisecond
	}
	if len(d.members) > maxMembers || len(d.names) > 2*maxMembers || len(d.news) > maxNews {
		t.Errorf("%d members, %d names, %d news", len(d.members), len(d.names), len(d.news))
	}
}

// A name is forgotten with the last of its runs, whichever that is.
func TestNamesAreForgotten(t *testing.T) {
	tr := newTranscript()
	first := &beating{hearing: newHearing(t, "b.1"), routes: []beatingRoute{{1, netip.MustParseAddr("192.0.2.1")}}}
	second := &beating{hearing: newHearing(t, "b.2"), routes: []beatingRoute{{1, netip.MustParseAddr("192.0.2.2")}}}
	first.sequence, second.sequence = 1, 1
	tr.beat(first)
	tr.beat(second)
	tr.now += time.Millisecond
	tr.beat(first)
	second.farewell = true
	tr.beat(second)
	if !tr.detector.forgetOldest() { // as for want of room
		t.Fatal("the second run is not forgotten")
	}
	tr.wait(time.Second)
	if n := len(tr.detector.names); n > 0 {
		t.Errorf("%d names are kept of nobody", n)
	}
}

// What is kept of who was logged as alive goes with the run, also where it is dead
// and forgotten at once.
func TestLogForgets(t *testing.T) {
	d := &desk{Membership: New(fast("a"), slog.New(slog.DiscardHandler)), shown: make(map[election.ID]bool)}
	id := election.ID{Node: "b", Incarnation: 1}
	d.logNews(&news{id: id, about: &snapshot{id: id, state: announcer.Alive}})
	d.logNews(&news{id: id, about: &snapshot{id: id, state: announcer.Dead}, forgotten: true})
	if len(d.shown) > 0 {
		t.Errorf("logged as alive: %v", d.shown)
	}
}

// However many topics there are, the lines are few, and so is what is kept of them.
func TestQuietIsBounded(t *testing.T) {
	var q quiet
	var lines strings.Builder
	log := slog.New(slog.NewTextHandler(&lines, nil))
	for i := range 100 * maxTopics {
		q.log(log, fmt.Sprint("name ", i), "two nodes have one name")
	}
	if n := strings.Count(lines.String(), "\n"); n > maxTopics+1 || len(q) > maxTopics+1 {
		t.Errorf("%d lines, %d topics", n, len(q))
	}
}
