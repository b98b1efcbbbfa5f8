package membership

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/election"
	"github.com/heraldlb/herald/internal/datagram"
	"github.com/heraldlb/herald/internal/realtime"
	"github.com/heraldlb/herald/membership/wire"
)

// thread sends and receives heartbeats, and judges. It runs on a thread of its
// own, takes no lock, and allocates nothing as long as nothing changes: whatever
// else the process and the machine do, it is to be in time.
type thread struct {
	options Options
	name    []byte
	begin   time.Time
	counts  *counters
	batch   *datagram.Batch
	detect  *detector

	// What others tell. They signal wake after it.

	wake     int // an eventfd
	beacon   atomic.Pointer[Beacon]
	orders   atomic.Pointer[orders]
	farewell atomic.Bool
	stopping atomic.Bool

	// What it tells others. It signals told after it.

	told        int // an eventfd
	applied     atomic.Uint64
	incarnation atomic.Uint64
	scheduling  atomic.Pointer[string]
	parted      chan struct{} // closed after the farewell
	done        chan struct{} // closed after the end, of which failed is the error
	failed      error
	news        *ring[news]
	claims      *ring[claims]
	complaints  *ring[complaint]
	notes       [drops]note

	// The thread's own.

	timing   realtime.Timing
	now      *orders
	said     Beacon
	sequence uint64
	muted    bool
	sent     moment // the last heartbeat
	due      moment // the next
	// alertUntil is until when datagrams are read as they come.
	alertUntil moment
	// greeted is when a heartbeat was sent early last, for somebody that is new.
	greeted  moment
	interval time.Duration
	polls    []unix.PollFd
	timeout  unix.Timespec
	heard    hearing
	decoded  wire.Heartbeat
	buffer   []byte
	signal   bool
}

// claims is a datagram that holds claims, checked but not decoded.
type claims struct {
	from   election.ID
	length int
	data   [wire.MaxDatagram]byte
}

const (
	newsRoom   = 256
	claimsRoom = 256
	// never is when nothing is due.
	never = moment(1<<63 - 1)
	// judgePause is the least time between two judgements that nothing else causes.
	judgePause = 200 * time.Microsecond
	// idlePoll bounds a wait, so that the clocks are compared now and then.
	idlePoll = time.Second
)

func newThread(o Options, begin time.Time, counts *counters) *thread {
	t := &thread{
		options: o, name: []byte(o.Node), begin: begin, counts: counts,
		batch: datagram.NewBatch(wire.MaxDatagram), detect: newDetector(election.ID{Node: o.Node, Incarnation: o.Incarnation}),
		parted: make(chan struct{}), done: make(chan struct{}), now: &orders{}, due: never,
		news: newRing[news](newsRoom), claims: newRing[claims](claimsRoom), complaints: newRing[complaint](16),
		buffer: make([]byte, 0, wire.MaxDatagram),
	}
	t.incarnation.Store(o.Incarnation)
	t.beacon.Store(&Beacon{})
	return t
}

// run runs until it is told to stop.
func (t *thread) run() error {
	// It is not unlocked: the thread, whose priority is raised, ends with it.
	runtime.LockOSThread()
	t.timing = realtime.Schedule()
	how := t.timing.String()
	t.scheduling.Store(&how)
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
		t.obey(now)
	}
	if now >= t.due {
		t.beat(now)
	}
	t.drain()
	t.greet(now)
	t.detect.judge(now)
	t.ask()
	t.tell()
	return nil
}

// alertTime is for how long datagrams are read as they come, after something that
// is not of every day: then claims may follow, whose senders wait for each other.
// Otherwise it is enough to read heartbeats when one is to be sent, or somebody to
// be judged: the kernel notes when they came. Waking for each costs the scheduler
// of Go more than all the rest.
const alertTime = time.Second

// searchTime is the same for a node that fell silent: if it lives, beyond a cut that is
// mended, the two have to hear of each other's claims at once.
const searchTime = 10 * time.Minute

func (t *thread) alert() bool {
	now := t.clock()
	return now < t.alertUntil || t.detect.missed != 0 && now < t.detect.missed+searchTime
}

// greet answers the first heartbeat of a node by one of this node's, for it may not have
// heard of this one either, and makes nothing of its claims and questions until then.
// Those that are many at once are answered together.
func (t *thread) greet(now moment) {
	if t.detect.risen && (t.greeted == 0 || now-t.greeted >= t.interval) {
		t.greeted = now
		t.soon(now)
	}
	t.detect.risen = false
}

func (t *thread) rouse(now moment) { t.alertUntil = now + alertTime }

// next is when to wake at the latest.
func (t *thread) next() moment {
	at := t.due
	if judge, ok := t.detect.next(!t.alert()); ok {
		// Whatever the detector says, it does not keep a real-time thread busy.
		at = min(at, max(judge, t.clock()+judgePause))
	}
	return at
}

func (t *thread) wait(until moment) error {
	left := idlePoll
	if until != never {
		left = min(max(until-t.clock(), 0), idlePoll)
	}
	t.timeout = unix.NsecToTimespec(int64(left))
	for i := range t.polls {
		t.polls[i].Revents = 0
	}
	polls := t.polls
	if !t.alert() {
		polls = polls[:1]
	}
	if errno := t.timing.Park(polls, &t.timeout); errno != 0 && errno != unix.EINTR {
		return fmt.Errorf("wait for datagrams: %w", errno)
	}
	return nil
}

// checkTimer suspends judgement if the thread was woken too late: then it is not
// the others of whom something is to be thought.
func (t *thread) checkTimer(wanted, now moment) {
	if wanted == never || now < wanted {
		return
	}
	late := now - wanted
	t.counts.timer.Observe(late)
	if t.interval > 0 && late > t.interval/2 {
		t.counts.lateTimer.Add(1)
		t.detect.suspend(now)
	}
}

// obey takes in what others told.
func (t *thread) obey(now moment) {
	if o := t.orders.Load(); o != nil && o != t.now {
		t.adopt(now, o)
	}
	if b := t.beacon.Load(); *b != t.said {
		t.soon(now)
	}
	t.rouse(now)
	if t.farewell.Load() && !t.muted {
		t.part(now)
	}
}

// adopt works by new orders from now on.
func (t *thread) adopt(now moment, o *orders) {
	t.now = o
	links := make([]int, 0, len(o.links))
	for _, s := range o.links {
		links = append(links, s.index)
	}
	t.detect.keyed = len(o.keys) > 0
	t.detect.setLinks(now, links)
	t.poll()
	t.soon(now)
	t.applied.Store(o.number)
	t.signal = true
}

// poll lists what to wait for.
func (t *thread) poll() {
	t.polls = []unix.PollFd{{Fd: int32(t.wake), Events: unix.POLLIN}}
	for _, s := range t.now.links {
		for _, l := range s.lines {
			fd := int32(l.fd)
			if l.broken.Load() {
				fd = -1
			}
			t.polls = append(t.polls, unix.PollFd{Fd: fd, Events: unix.POLLIN})
		}
	}
}

// tell hands over what there is to tell.
func (t *thread) tell() {
	if len(t.detect.news) > 0 && t.detect.write(t.news) {
		t.signal = true
	}
	for _, c := range t.detect.complaints {
		if slot := t.complaints.reserve(); slot != nil {
			*slot = c
			t.complaints.stage()
			t.signal = true
		}
	}
	t.detect.complaints = t.detect.complaints[:0]
	t.complaints.publish()
	t.claims.publish() // after the news that its senders are alive
	if t.signal {
		t.rouse(t.clock())
		t.signal = false
		realtime.Signal(t.told)
	}
}
