package bfd

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/bfd/packet"
)

// mirror is a thread with one session, which has itself as its router.
func mirror(t testing.TB) *thread {
	t.Helper()
	router := peer("127.0.0.1")
	d := &desk{Sessions: New(nil), ports: make(map[portKey]*port)}
	l, err := d.newLine(router)
	must(t, err)
	p := d.ports[portKey{is4: true}]
	t.Cleanup(func() {
		must(t, unix.Close(l.fd))
		must(t, unix.Close(p.fd))
	})
	d.thread.adopt(0, &orders{number: 1, lines: []*line{l}, ports: []*port{p}})
	return d.thread
}

// exchange sends a packet and receives it.
func (t *thread) exchange() {
	t.lines[0].session.urgent = true
	t.advance()
	t.drain()
}

// Packets cost no allocation.
func TestNoAllocations(t *testing.T) {
	thread := mirror(t)
	for range 10 {
		thread.exchange()
	}
	s := thread.lines[0].session
	if s.state != packet.Up {
		t.Fatalf("the session is %s", s.state)
	}
	received := thread.counts.received.Load()
	if n := testing.AllocsPerRun(100, thread.exchange); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if n := thread.counts.received.Load() - received; n < 101 {
		t.Errorf("%d packets were received", n)
	}
}

// A thread that was woken late excuses, and says so.
func TestLateTimer(t *testing.T) {
	thread := mirror(t)
	for range 10 {
		thread.exchange()
	}
	now := thread.clock() + time.Second
	thread.checkTimer(now-10*time.Millisecond, now)
	if n := thread.counts.suspensions[byTimer].Load(); n != 0 {
		t.Errorf("%d suspensions after 10 ms", n)
	}
	thread.checkTimer(now-40*time.Millisecond, now)
	if n := thread.counts.suspensions[byTimer].Load(); n != 1 || thread.lines[0].session.hold != now {
		t.Errorf("%d suspensions after 40 ms", n)
	}
}

// A session that was given up before the thread came to see it leaves no socket behind.
func TestASessionThatNeverBegan(t *testing.T) {
	d := &desk{Sessions: New(slog.New(slog.DiscardHandler)), ports: make(map[portKey]*port), started: true}
	must(t, d.open())
	defer func() { must(t, errors.Join(d.events.Close(), unix.Close(d.thread.wake))) }()
	turn := func(peers ...announcer.BFDPeer) {
		d.wanted = peers
		d.reconcile()
		d.order(time.Now())
	}
	turn(peer("127.0.0.1"))
	turn()
	for range 2 { // the second is for the port
		d.thread.adopt(0, d.thread.orders.Load())
		d.retire()
		turn()
	}
	d.thread.adopt(0, d.thread.orders.Load())
	d.retire()
	if len(d.ending) > 0 || len(d.closing) > 0 || len(d.ports) > 0 {
		t.Errorf("%d sessions and %d ports are still being given up, %d ports are open", len(d.ending), len(d.closing), len(d.ports))
	}
}

// BenchmarkExchange is what a packet costs that is sent, and one that is received.
func BenchmarkExchange(b *testing.B) {
	thread := mirror(b)
	b.ReportAllocs()
	for b.Loop() {
		thread.exchange()
	}
}
