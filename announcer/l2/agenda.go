package l2

import (
	"container/heap"
	"math"
	"net/netip"
	"time"

	"golang.org/x/time/rate"
)

// task is something to do about an address.
type task struct {
	kind taskKind
	// bulk: it is one of many of its kind that came up at once.
	bulk bool
	addr netip.Addr
	// turn is the entry's turn that the task belongs to. If the entry has
	// another by now, the task is void.
	turn uint64
	// epoch is that of the interface to send on; 0 if nothing is sent.
	epoch uint64
	// round counts the frames of this chain that went before. A negative one
	// is that of a frame alone: nothing follows it.
	round int
}

type taskKind uint8

const (
	// sendProbe asks who uses the address.
	sendProbe taskKind = iota
	// sendAnnouncement tells everybody; the first time, and in defence.
	sendAnnouncement
	// sendRepeat tells everybody again.
	sendRepeat
	// conclude: nobody answered the probes on an interface.
	conclude
	// retry probes once more after a conflict.
	retry
	// secondLook looks if the address is still ours after a stranger was seen.
	secondLook
	// forget: the stranger is silent.
	forget
)

// frames reports whether the task sends frames.
func (k taskKind) frames() bool { return k <= sendRepeat }

// agenda knows when what is to be done, and lets frames go no faster than the
// limiter allows. A thousand addresses that are told again never delay one that
// is told for the first time, nor do a thousand others that came all at once.
type agenda struct {
	limiter *rate.Limiter
	timed   timedHeap
	order   uint64 // of tasks of the same time
	// lines are those of the lanes, the first before the second.
	lines [laneCount]queue
}

// lane is the line that a task stands in to send frames.
type lane int

const (
	// fresh: what somebody waits for.
	fresh lane = iota
	// bulk: what many wait for, such as all that was announced on an interface
	// which came up again, or a snapshot.
	bulk
	// repeats: what was told before.
	repeats
	laneCount
)

func (t *task) lane() lane {
	switch {
	case t.kind == sendRepeat:
		return repeats
	case t.bulk:
		return bulk
	default:
		return fresh
	}
}

func newAgenda(perSecond float64, burst int) *agenda {
	return &agenda{limiter: rate.NewLimiter(rate.Limit(perSecond), burst)}
}

// at plans a task.
func (a *agenda) at(due time.Time, t task) {
	a.order++
	heap.Push(&a.timed, timedTask{due: due, order: a.order, task: t})
}

// now plans a task that sends frames for as soon as the limiter allows.
func (a *agenda) now(t task) { a.lines[t.lane()].push(t) }

// due takes the next task that is due and sends nothing. Those that send
// frames get in line.
func (a *agenda) due(now time.Time) (task, bool) {
	for len(a.timed) > 0 && !a.timed[0].due.After(now) {
		t, _ := heap.Pop(&a.timed).(timedTask)
		if !t.kind.frames() {
			return t.task, true
		}
		a.now(t.task)
	}
	return task{}, false
}

// peek returns the next task in line to send frames.
func (a *agenda) peek() (task, bool) {
	for i := range a.lines {
		if t, ok := a.lines[i].peek(); ok {
			return t, true
		}
	}
	return task{}, false
}

// drop removes the task that peek returned.
func (a *agenda) drop() {
	for i := range a.lines {
		if a.lines[i].pop() {
			return
		}
	}
}

// waiting returns how many frames are waited for in line: those of the first
// lane that has any.
func (a *agenda) waiting() int {
	for i := range a.lines {
		if n := a.lines[i].len(); n > 0 {
			return n
		}
	}
	return 0
}

// pace is for how many frames in line the limiter is waited for at a time.
const pace = 32

// next returns when there is something to do; ok is false if nothing is planned.
func (a *agenda) next(now time.Time) (at time.Time, ok bool) {
	if len(a.timed) > 0 {
		at, ok = a.timed[0].due, true
	}
	if waiting := a.waiting(); waiting > 0 {
		missing := float64(min(waiting, pace, a.limiter.Burst())) - a.limiter.TokensAt(now)
		wait := math.Ceil(missing / float64(a.limiter.Limit()) * float64(time.Second))
		sending := now.Add(time.Duration(wait))
		if !ok || sending.Before(at) {
			at, ok = sending, true
		}
	}
	return at, ok
}

// queue is a first-in, first-out line of tasks.
type queue struct {
	tasks []task
	head  int
}

func (q *queue) len() int { return len(q.tasks) - q.head }

func (q *queue) push(t task) {
	if q.head > len(q.tasks)/2 {
		q.tasks = append(q.tasks[:0], q.tasks[q.head:]...)
		q.head = 0
	}
	q.tasks = append(q.tasks, t)
}

func (q *queue) peek() (task, bool) {
	if q.len() == 0 {
		return task{}, false
	}
	return q.tasks[q.head], true
}

func (q *queue) pop() bool {
	if q.len() == 0 {
		return false
	}
	q.head++
	if q.len() == 0 {
		*q = queue{}
	}
	return true
}

type timedTask struct {
	due   time.Time
	order uint64
	task
}

// timedHeap implements heap.Interface.
type timedHeap []timedTask

func (h timedHeap) Len() int { return len(h) }

func (h timedHeap) Less(i, j int) bool {
	if h[i].due.Equal(h[j].due) {
		return h[i].order < h[j].order
	}
	return h[i].due.Before(h[j].due)
}

func (h timedHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

func (h *timedHeap) Push(x any) {
	if t, ok := x.(timedTask); ok {
		*h = append(*h, t)
	}
}

func (h *timedHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}
