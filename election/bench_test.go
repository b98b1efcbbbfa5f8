package election

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

// crashed returns an Election of a cluster of so many nodes, and a member of it
// that owns all of n addresses.
func crashed(n, members int) (e *Election, owner ID) {
	e = New(id("self"), DefaultTiming())
	e.Stand(start, true)
	for i := range members - 1 {
		m := peer(fmt.Sprintf("worker-%d.example.org", i))
		e.Join(start, m)
		e.Heard(start, m.ID, Digest{})
	}
	owner = e.roll[0].ID
	claims := make([]Claim, 0, n)
	for _, addr := range addrs(n) {
		claims = append(claims, Claim{Address: addr})
	}
	for version := uint64(1); len(claims) > 0; version++ {
		part := claims[:min(100, len(claims))]
		claims = claims[len(part):]
		e.Receive(start, owner, Message{Kind: Update, Version: version, Claims: part})
	}
	for _, addr := range addrs(n) {
		e.Put(start, Candidate{Address: addr, Segments: 1, Eligible: true})
	}
	e.Take()
	return e, owner
}

// BenchmarkGone is the time from when a member that owns everything is dead to
// when it is known what to do: this node's part is announced and claimed.
func BenchmarkGone(b *testing.B) {
	for _, members := range []int{3, 50} {
		b.Run(fmt.Sprintf("addresses=10000/nodes=%d", members), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				e, owner := crashed(10_000, members)
				b.StartTimer()
				e.Gone(start, owner)
				effects := e.Take()
				b.ReportMetric(float64(len(effects.Changes)), "changes")
				b.ReportMetric(float64(len(effects.Messages)), "messages")
			}
		})
	}
}

// BenchmarkHeard is a heartbeat with a digest that is known.
func BenchmarkHeard(b *testing.B) {
	e, owner := crashed(10_000, 50)
	d := e.members[owner].have
	b.ReportAllocs()
	for b.Loop() {
		e.Heard(start, owner, d)
	}
}

// BenchmarkUpdate is a claim of a member for an address.
func BenchmarkUpdate(b *testing.B) {
	e, _ := crashed(10_000, 3)
	other := e.roll[1].ID
	claims := []Claim{{Address: addrs(1)[0]}}
	version := e.members[other].have.Version
	b.ReportAllocs()
	for b.Loop() {
		version++
		claims[0].Yielding = version%2 == 0
		e.Receive(start, other, Message{Kind: Update, Version: version, Claims: claims})
		e.Take()
	}
}

// BenchmarkList is the whole list of a member, in parts.
func BenchmarkList(b *testing.B) {
	source, owner := crashed(10_000, 2)
	source.Gone(start, owner)
	source.Take()
	reader := peer("reader")
	source.Join(start, reader)
	source.Receive(start, reader.ID, Message{Kind: Request})
	parts := source.Take().Messages
	b.ReportAllocs()
	for b.Loop() {
		e := New(reader.ID, DefaultTiming())
		e.Join(start, peer("self"))
		e.Heard(start, source.self.ID, source.Digest())
		for _, part := range parts {
			e.Receive(start, source.self.ID, part.Message)
		}
		if m := e.roll[0]; !m.inSync() {
			b.Fatal("the list was not enough")
		}
	}
}

// In a cluster where nothing happens, nothing is allocated.
func TestSteadyStateDoesNotAllocate(t *testing.T) {
	e, owner := crashed(1000, 10)
	now, d := start, e.members[owner].have
	late := d
	late.Version--
	n := testing.AllocsPerRun(100, func() {
		now = now.Add(time.Millisecond)
		e.Heard(now, owner, d)
		e.Heard(now, owner, late)
		e.Join(now, e.members[owner].Member)
		e.Put(now, e.all[0].Candidate)
		e.Advance(now)
		if _, ok := e.Next(now); ok {
			t.Error("something is due")
		}
		if got := e.Take(); got.Changes != nil || got.Again != nil || got.Messages != nil {
			t.Errorf("wants %+v", got)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// The announcer is to stay small: this is what each address costs it here.
func TestBytesPerAddress(t *testing.T) {
	const n, most = 10_000, 500
	heap := func() uint64 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	before := heap()
	e, owner := crashed(n, 3)
	claimed := (heap() - before) / n
	e.Gone(start, owner)
	e.Take()
	owned := (heap() - before) / n
	t.Logf("%d bytes for an address that a member claims, %d after it is gone", claimed, owned)
	if claimed > most || owned > most {
		t.Errorf("%d and %d bytes an address, want at most %d", claimed, owned, most)
	}
	runtime.KeepAlive(e)
}
