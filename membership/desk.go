package membership

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/election"
	"github.com/heraldlb/herald/internal/realtime"
	"github.com/heraldlb/herald/membership/wire"
)

// desk is the goroutine between the thread and the rest of the process. It sleeps
// until the thread, a setter or the clock signals.
type desk struct {
	*Membership
	observer Observer
	events   *os.File
	ports    map[portKey]*port
	retired  []retired
	number   uint64
	keys     keyring
	opener   *wire.Opener
	quiet    quiet
	nextTick time.Time
	nextMend time.Time
	// incarnation is the last that was told.
	incarnation uint64
	greeted     bool
	// listening are the interfaces that the observer was told of.
	listening []int
	// shown are the members that were logged as alive.
	shown map[election.ID]bool
	// retry: some port could not be opened.
	retry bool
	// keyFault is what is wrong with the keys, if those from before are in use.
	keyFault string
}

type portKey struct {
	link int
	is4  bool
}

// retired is a port that the thread is not to use from some orders on.
type retired struct {
	*port
	from uint64
}

// tick is how often is looked after what nobody signals: ports that could not be
// opened, and what is to be logged.
const tick = time.Second

func (d *desk) openEvents() error {
	wake, err := realtime.NewEvent()
	if err != nil {
		return err
	}
	told, err := realtime.NewEvent()
	if err != nil {
		return errors.Join(err, unix.Close(wake))
	}
	d.thread.wake, d.thread.told = wake, told
	d.thread.poll()
	d.events = os.NewFile(uintptr(told), "eventfd")
	d.ports = make(map[portKey]*port)
	return nil
}

// close ends the thread, and all that was opened.
func (d *desk) close() error {
	d.thread.stopping.Store(true)
	realtime.Signal(d.thread.wake)
	<-d.thread.done
	d.mu.Lock()
	defer d.mu.Unlock()
	d.running = false
	d.outbox.segments, d.outbox.queue = nil, nil
	err := errors.Join(d.thread.failed, d.events.Close(), unix.Close(d.thread.wake))
	for _, p := range d.ports {
		err = errors.Join(err, unix.Close(p.fd))
	}
	for _, r := range d.retired {
		err = errors.Join(err, unix.Close(r.fd))
	}
	return err
}

func (d *desk) run(ctx context.Context) error {
	ticker := time.AfterFunc(0, d.wakeDeskLocked)
	defer ticker.Stop()
	var count [8]byte
	for ctx.Err() == nil {
		select {
		case <-d.thread.done:
			if err := d.thread.failed; err != nil {
				return fmt.Errorf("the timing thread ended: %w", err)
			}
			return nil
		default:
		}
		if now := time.Now(); !now.Before(d.nextTick) {
			d.nextTick = now.Add(tick)
			ticker.Reset(tick)
			d.look(now)
		}
		if d.keysChanged.Swap(false) {
			d.reread()
		}
		d.tellIncarnation()
		d.read()
		if err := d.mend(time.Now()); err != nil {
			return err
		}
		d.reconfigure()
		d.tellListening()
		d.retire()
		if _, err := d.events.Read(count[:]); err != nil {
			return fmt.Errorf("wait for events: %w", err)
		}
	}
	return nil
}

// read tells the observer what the thread has to tell.
func (d *desk) read() {
	seen := 0
	for n := d.thread.news.peek(); n != nil; n = d.thread.news.peek() {
		d.mu.Lock()
		tell := d.roster.apply(n)
		d.mu.Unlock()
		d.logNews(n)
		if tell != nil {
			tell(d.observer)
		}
		*n = news{}
		d.thread.news.release()
		seen++
	}
	if seen >= newsRoom { // there may be more
		realtime.Signal(d.thread.wake)
	}
	for c := d.thread.claims.peek(); c != nil; c = d.thread.claims.peek() {
		d.readClaims(c)
		d.thread.claims.release()
	}
	for c := d.thread.complaints.peek(); c != nil; c = d.thread.complaints.peek() {
		d.complain(*c)
		d.thread.complaints.release()
	}
	d.mu.Lock()
	d.outbox.paused = false
	d.flush()
	d.mu.Unlock()
}

func (d *desk) readClaims(c *claims) {
	d.mu.Lock()
	alive := d.roster.members[c.from].alive()
	d.mu.Unlock()
	if !alive {
		return // what it claims is asked for when it is
	}
	opened, reason := d.opener.Open(c.data[:c.length])
	var message election.Message
	if reason == wire.Accepted {
		reason = opened.Claims(&message)
	}
	if reason != wire.Accepted {
		d.counts.drops[reason].Add(1)
		return
	}
	d.observer.Received(c.from, message)
}
