package membership

import (
	"errors"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/announcer/l2/l2test"
	"github.com/heraldlb/herald/internal/datagram"
)

// bareThread is the thread of a membership whose turns the test makes itself.
func bareThread(t testing.TB, h *l2test.Host, o Options) *thread {
	t.Helper()
	s := &station{}
	s.Membership = New(o, slog.New(slog.DiscardHandler))
	s.open = opener(t, h)
	s.SetInterfaces(interfaces(t, h.Handle))
	d := &desk{Membership: s.Membership, observer: s}
	must(t, d.readKeys())
	must(t, d.openEvents())
	close(s.thread.done)
	t.Cleanup(func() { must(t, d.close()) })
	d.reconfigure()
	s.thread.obey(s.thread.clock())
	return s.thread
}

func eachKey(t *testing.B, test func(t *testing.B, keys string)) {
	t.Helper()
	t.Run("unkeyed", func(t *testing.B) { test(t, "") })
	t.Run("keyed", func(t *testing.B) { test(t, keyDirectory(t, map[string][]byte{"current": key('k')})) })
}

// As long as nothing changes, nothing is allocated.
func TestThreadAllocatesNothing(t *testing.T) {
	n := newNetwork(t)
	thread := bareThread(t, n.host(t, v4, v6), Options{Node: "a"})
	startChild(t, n.host(t, v4, v6), Options{Node: "b"})
	startChild(t, n.host(t, v4, v6), Options{Node: "c"})
	l2test.Poll(t, "two members", func() bool {
		must(t, thread.turn())
		return len(thread.detect.living) == 2
	})
	for range 20 { // the rest of what is new
		must(t, thread.turn())
	}
	received := thread.counts.traffic("eth0", v4).received.Load()
	if allocations := testing.AllocsPerRun(50, func() { must(t, thread.turn()) }); allocations > 0 {
		t.Errorf("%v allocations for a turn", allocations)
	}
	if thread.counts.traffic("eth0", v4).received.Load() == received {
		t.Error("nothing was received meanwhile")
	}
}

// Who hears somebody for the first time, or again, is heard by that one at once, and not
// only with the next heartbeat; others that come with it are not answered again.
func TestGreets(t *testing.T) {
	n := newNetwork(t)
	slow := Options{Node: "a", Interval: time.Minute}
	a := bareThread(t, n.host(t, v4), slow)
	slow.Node = "b"
	b := bareThread(t, n.host(t, v4), slow)
	must(t, a.turn())
	sent := a.sequence
	b.beat(b.clock())
	l2test.Poll(t, "b heard", func() bool {
		must(t, a.turn())
		return len(a.detect.living) == 1
	})
	l2test.Poll(t, "an answer", func() bool {
		must(t, a.turn())
		return a.sequence == sent+1
	})
	slow.Node = "c"
	c := bareThread(t, n.host(t, v4), slow)
	c.beat(c.clock())
	l2test.Poll(t, "c heard", func() bool {
		must(t, a.turn())
		return len(a.detect.living) == 2
	})
	if a.due < a.clock()+a.interval/2 {
		t.Errorf("the next heartbeat is due in %s", a.due-a.clock())
	}
}

// Of a node that fell silent, heartbeats are read as they come: it may live, and have
// what this one took.
func TestAlertAfterSilence(t *testing.T) {
	n := newNetwork(t)
	thread := bareThread(t, n.host(t, v4), Options{Node: "a"})
	thread.alertUntil = 0
	if thread.alert() {
		t.Fatal("alert without a reason")
	}
	b := &hearing{
		at: thread.clock(), link: thread.now.links[0].index, source: netip.MustParseAddr("192.0.2.9"), node: []byte("b"),
		incarnation: 1, sequence: 1, interval: time.Millisecond, multiplier: 1, traffic: new(traffic),
	}
	if why := thread.detect.hear(b); why != taken {
		t.Fatalf("not heard: %v", why)
	}
	l2test.Poll(t, "silence", func() bool {
		thread.detect.judge(thread.clock())
		return len(thread.detect.living) == 0
	})
	thread.alertUntil = 0
	if !thread.alert() {
		t.Error("not alert though a node fell silent")
	}
	thread.detect.missed -= searchTime
	if thread.alert() {
		t.Error("alert for ever")
	}
}

// An error that a sender is told of is not left to wake the thread for ever.
func TestErrorsOfSenders(t *testing.T) {
	for family, closed := range map[string]string{v4: "192.0.2.2", v6: "2001:db8::2"} {
		t.Run(family, func(t *testing.T) {
			n := newNetwork(t)
			thread := bareThread(t, n.host(t, family), Options{Node: "a"})
			n.host(t, family) // where nobody listens
			to := datagram.NewAddress(netip.AddrPortFrom(netip.MustParseAddr(closed), thread.options.Port), 0)
			port := thread.now.links[0].lines[0].port
			l2test.Poll(t, "a refusal that a sender is told of", func() bool {
				return errors.Is(datagram.Send(port.fd, []byte("hello"), &to), unix.ECONNREFUSED)
			})
			thread.rouse(thread.clock())
			l2test.Poll(t, "no error to wake the thread", func() bool {
				must(t, thread.turn())
				polls := []unix.PollFd{{Fd: int32(port.fd)}}
				_, err := unix.Poll(polls, 0)
				must(t, err)
				return polls[0].Revents&unix.POLLERR == 0
			})
		})
	}
}

// What ICMP says of each heartbeat to a node that has no announcer does not take up
// the room for those of others, while the thread is not alert either: it comes
// between two turns, and the next heartbeat is told of the error.
func TestErrorsTakeUpNoRoom(t *testing.T) {
	n := newNetwork(t)
	thread := bareThread(t, n.host(t, v4), fast("a"))
	other := n.host(t, v4)
	polls := []unix.PollFd{{Fd: int32(thread.now.links[0].lines[0].fd)}}
	failed := func() bool {
		if _, err := unix.Poll(polls, 0); !errors.Is(err, unix.EINTR) {
			must(t, err)
		}
		return polls[0].Revents&unix.POLLERR != 0
	}
	const noPort = 3
	sendUnreachable(t, other, noPort, thread.options.Port)
	l2test.Poll(t, "the error", failed)
	thread.alertUntil, thread.due = 0, thread.clock()
	must(t, thread.turn())
	if thread.sequence == 0 || failed() {
		t.Errorf("after heartbeat %d, what was refused is left in the queue of errors", thread.sequence)
	}
}

// BenchmarkBeat sends a heartbeat by both families, into a veth whose other end
// nobody reads: most of it is the kernel.
func BenchmarkBeat(b *testing.B) {
	eachKey(b, func(b *testing.B, keys string) {
		n := newNetwork(b)
		t := bareThread(b, n.host(b, v4, v6), Options{Node: "a", KeyDirectory: keys})
		b.ReportAllocs()
		for b.Loop() {
			t.beat(t.clock())
		}
	})
}

// BenchmarkReceive receives one heartbeat by each family, in a turn.
func BenchmarkReceive(b *testing.B) {
	eachKey(b, func(b *testing.B, keys string) {
		n := newNetwork(b)
		from := bareThread(b, n.host(b, v4, v6), Options{Node: "a", KeyDirectory: keys})
		to := bareThread(b, n.host(b, v4, v6), Options{Node: "b", Interval: time.Minute, KeyDirectory: keys})
		b.ReportAllocs()
		for b.Loop() {
			b.StopTimer()
			from.beat(from.clock())
			b.StartTimer()
			must(b, to.turn())
		}
		if received := to.counts.traffic("eth0", v4).received.Load(); received < uint64(b.N)/2 {
			b.Errorf("%d received of %d", received, b.N)
		}
	})
}

// BenchmarkJudge judges 100 members, each heard by both families.
func BenchmarkJudge(b *testing.B) {
	tr := newTranscript()
	for i := range 100 {
		n := &beating{hearing: hearing{node: []byte{'n', byte('a' + i/26), byte('a' + i%26)}, incarnation: 1, interval: time.Second, multiplier: 4, traffic: new(traffic)}}
		n.sequence, n.routes = 1, []beatingRoute{
			{1, netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})}, {1, netip.AddrFrom16([16]byte{0: 0xfe, 1: 0x80, 15: byte(i)})},
		}
		tr.beat(n)
	}
	b.ReportAllocs()
	for b.Loop() {
		tr.detector.judge(tr.now)
		tr.detector.next(false)
	}
}
