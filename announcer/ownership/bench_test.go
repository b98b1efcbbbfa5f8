package ownership

import (
	"net/netip"
	"testing"
	"time"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/l2/link"
	"github.com/heraldlb/herald/election"
	"github.com/heraldlb/herald/membership"
)

// BenchmarkFailOver is what a survivor of three nodes thinks from the death of the
// owner of 10,000 addresses until half of them are its own.
func BenchmarkFailOver(b *testing.B) {
	const count = 10_000
	for b.Loop() {
		b.StopTimer()
		m, now, dead := survivor(count)
		b.StartTimer()
		m.gone(now, dead, membership.Silent, now)
		m.advance(now)
		taken := len(m.take().puts)
		b.StopTimer()
		if taken < count/3 || taken > count*2/3 {
			b.Fatalf("took %d of %d", taken, count)
		}
		b.StartTimer()
	}
}

// survivor returns a node beside two others, the first of which owns so many
// addresses.
func survivor(count int) (m *mind, now time.Time, owner election.ID) {
	now = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	m = newMind(election.ID{Node: "node-3", Incarnation: 1}, election.DefaultTiming(), Listening(0))
	prefixes := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	m.setFacts(now, announcer.Facts{Nodes: 3})
	m.setListening(now, []int{1})
	m.setInterfaces(now, []link.Interface{{Index: 1, Name: "eth0", Up: true, Epoch: 1, Prefixes: prefixes}})
	var all []announcer.Candidacy
	for i := range count {
		addr := netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)})
		all = append(all, announcer.Candidacy{Announcement: announcer.Announcement{Address: addr}, Eligible: true})

	}
	m.read(now, mail{replaced: true, all: all})
	other := election.New(election.ID{Node: "node-1", Incarnation: 1}, election.DefaultTiming())
	other.Stand(now, true)
	for _, c := range all {
		other.Put(now, election.Candidate{Address: c.Address, Segments: 1, Eligible: true})
	}
	messages := other.Take().Messages
	m.advance(now)
	for _, name := range []string{"node-1", "node-2"} {
		m.joined(now, membership.Peer{ID: election.ID{Node: name, Incarnation: 1}, Interfaces: []int{1}, Prefixes: prefixes, Standing: true})
		m.heard(now, election.ID{Node: name, Incarnation: 1}, election.Digest{})
	}
	owner = election.ID{Node: "node-1", Incarnation: 1}
	for _, out := range messages {
		m.election.Receive(now, owner, out.Message)
	}
	m.heard(now, owner, other.Digest())
	now = now.Add(time.Second)
	m.advance(now)
	m.take()
	return m, now, owner
}
