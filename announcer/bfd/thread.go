package bfd

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/announcer/bfd/packet"
	"github.com/heraldlb/herald/internal/datagram"
	"github.com/heraldlb/herald/internal/realtime"
)

// thread has the sessions. It takes no lock, and allocates nothing as long as no session
// changes.
type thread struct {
	begin  time.Time
	counts *counters
	batch  *datagram.Batch

	// What the desk tells. It signals wake after it.

	wake     int // an eventfd
	orders   atomic.Pointer[orders]
	stopping atomic.Bool

	// What it tells the desk. It signals told after it.

	told       int // an eventfd
	applied    atomic.Uint64
	scheduling atomic.Pointer[string]
	parted     chan struct{} // closed when all is given up
	done       chan struct{} // closed after the end, of which failed is the error
	failed     error
	notes      [drops]note

	// The thread's own.

	timing  realtime.Timing
	now     *orders
	lines   []*line // those of the orders, and those that are given up
	polls   []unix.PollFd
	timeout unix.Timespec
	// pause is until when datagrams are not waited for: a flood does not keep a thread
	// in real time busy.
	pause   moment
	decoded packet.Packet
	buffer  []byte
	signal  bool
	gone    bool // parted is closed
}

const (
	// readPause is the least time between two wake-ups by datagrams.
	readPause = time.Millisecond
	// turnPause is the same of those by timers.
	turnPause = 200 * time.Microsecond
	idlePoll  = time.Minute
	// calmPause bounds how late a packet may be read that is not of every day.
	calmPause = 50 * time.Millisecond
)

func newThread(begin time.Time, counts *counters) *thread {
	return &thread{
		begin: begin, counts: counts, batch: datagram.NewBatch(packet.MaxSize), now: &orders{},
		parted: make(chan struct{}), done: make(chan struct{}), buffer: make([]byte, 0, packet.Size),
	}
}

// run runs until it is told to stop.
func (t *thread) run() error {
	// It is not unlocked: the thread, whose priority is raised, ends with it.
	runtime.LockOSThread()
	t.timing = realtime.Schedule()
	how := t.timing.String()
	t.scheduling.Store(&how)
	t.poll()
	for !t.stopping.Load() {
		if err := t.turn(); err != nil {
			return err
		}
	}
	return nil
}

// clock is the time since the beginning.
func (t *thread) clock() moment { return time.Since(t.begin) }

// turn waits until something is to be done, and does it.
func (t *thread) turn() error {
	wanted := t.next()
	if err := t.wait(wanted); err != nil {
		return err
	}
	now := t.clock()
	t.checkTimer(wanted, now)
	if t.polls[0].Revents != 0 {
		realtime.Drain(t.wake)
	}
	if o := t.orders.Load(); o != t.now && o != nil {
		t.adopt(now, o)
	}
	t.drain()
	t.advance()
	if t.signal {
		t.signal = false
		realtime.Signal(t.told)
	}
	return nil
}

// next is when to wake at the latest.
func (t *thread) next() moment {
	at := never
	for _, l := range t.lines {
		at = min(at, l.session.next())
	}
	return at
}

func (t *thread) wait(until moment) error {
	now, polls := t.clock(), t.polls
	if until != never {
		until = max(until, now+turnPause)
	}
	switch {
	case now < t.pause:
		polls, until = polls[:1], min(until, t.pause)
	case until-now < calmPause && t.calm(now):
		polls = polls[:1]
	}
	t.timeout = unix.NsecToTimespec(int64(min(max(until-now, 0), idlePoll)))
	for i := range t.polls {
		t.polls[i].Revents = 0
	}
	if errno := t.timing.Park(polls, &t.timeout); errno != 0 && errno != unix.EINTR {
		return fmt.Errorf("wait for datagrams: %w", errno)
	}
	return nil
}

// calm reports whether nothing is to be expected but what is of every day. Then packets
// are read when one is to be sent, or somebody to be judged, if that is soon: the kernel
// notes when they came. Waking for each costs the scheduler of Go more than all the rest.
func (t *thread) calm(now moment) bool {
	for _, l := range t.lines {
		if !l.session.calm(now) {
			return false
		}
	}
	return true
}

// checkTimer excuses the routers if the thread was woken too late.
func (t *thread) checkTimer(wanted, now moment) {
	if wanted == never || now < wanted {
		return
	}
	if wanted > 0 { // not for what is to be done at once
		t.counts.timer.Observe(now - wanted)
		t.excuse(now, now-wanted, byTimer)
	}
}

func (t *thread) excuse(now moment, late time.Duration, why suspension) {
	excused := false
	for _, l := range t.lines {
		excused = l.session.excuse(now, late) || excused
	}
	if excused {
		t.counts.suspensions[why].Add(1)
	}
}

// adopt works by new orders from now on.
func (t *thread) adopt(now moment, o *orders) {
	t.now = o
	for _, l := range t.lines {
		if !slices.Contains(o.lines, l) {
			l.session.leave(now)
		}
	}
	for _, l := range o.lines {
		w := l.wish.Load()
		if l.session == nil {
			l.session = newSession(now, l.discriminator, w.interval, w.multiplier, rand.N[time.Duration])
			t.lines = append(t.lines, l)
			l.begun.Store(true)
		} else {
			l.session.configure(w.interval, w.multiplier)
		}
	}
	t.poll()
	t.applied.Store(o.number)
	t.signal = true
}

// poll lists what to wait for.
func (t *thread) poll() {
	t.polls = []unix.PollFd{{Fd: int32(t.wake), Events: unix.POLLIN}}
	for _, p := range t.now.ports {
		t.polls = append(t.polls, unix.PollFd{Fd: int32(p.fd), Events: unix.POLLIN})
	}
}

// advance has the sessions do what is due.
func (t *thread) advance() {
	t.gather(t.clock())
	for i := 0; i < len(t.lines); {
		l := t.lines[i]
		l.session.expire(t.clock())
		for l.session.emit(t.clock(), &t.decoded) {
			t.buffer = t.decoded.Append(t.buffer[:0])
			t.transmit(l)
		}
		t.report(l)
		if l.session.left(t.clock()) {
			t.lines = slices.Delete(t.lines, i, i+1)
			l.left.Store(true)
			t.signal = true
			continue
		}
		i++
	}
	if t.now.last && len(t.lines) == 0 && !t.gone {
		t.gone = true
		close(t.parted)
	}
}

// gather has packets that may be sent by now go with one that has to: each time that
// the thread wakes costs more than they do.
func (t *thread) gather(now moment) {
	if t.next() > now {
		return
	}
	for _, l := range t.lines {
		l.session.join(now)
	}
}

func (t *thread) transmit(l *line) {
	if err := datagram.Send(l.fd, t.buffer, &l.to); err != nil {
		t.note(unsent, l.to.AddrPort())
		return
	}
	t.counts.sent.Add(1)
}

// report tells the desk how a session stands, if that changed.
func (t *thread) report(l *line) {
	s := l.session
	now := report{
		state: s.state, diagnostic: s.diagnostic, onPurpose: s.remote.state == packet.AdminDown,
		since: s.since, flaps: s.flaps,
	}
	if now != l.reported {
		l.reported = now
		told := now
		l.report.Store(&told)
		t.signal = true
	}
}
