package bfd

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/time/rate"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/internal/datagram"
	"github.com/heraldlb/herald/internal/realtime"
)

// desk is the goroutine between the thread and the rest of the process. It has the
// sockets, and sleeps until the thread, a setter or the clock signals.
type desk struct {
	*Sessions
	tell   func()
	events *os.File
	number uint64
	ports  map[portKey]*port
	// ending are the lines that the thread is to give up, and closing the ports that it
	// is not to use any more.
	ending  []*line
	closing []*port
	// stale: the thread's orders are not those that are wanted.
	stale bool
	// started: there is a thread. There is none before the first session.
	started  bool
	nextTick time.Time
	drops    [drops]rate.Sometimes
}

// entry is a peer at the desk.
type entry struct {
	peer announcer.BFDPeer
	line *line // nil: there is no session
	// fault is why, and since is when that began.
	fault string
	since time.Time
	// flaps are those of sessions before this one.
	flaps uint64
	// told is what the rest of the process was told.
	told announcer.BFDStatus
}

// tick is how often is looked after what nobody signals, where there are sessions.
const tick = time.Second

func (d *desk) open() error {
	wake, err := realtime.NewEvent()
	if err != nil {
		return err
	}
	told, err := realtime.NewEvent()
	if err != nil {
		return errors.Join(err, unix.Close(wake))
	}
	d.thread.wake, d.thread.told = wake, told
	d.events = os.NewFile(uintptr(told), "eventfd")
	for i := range d.drops {
		d.drops[i].Interval = time.Minute
	}
	return nil
}

// close ends the thread, and all that was opened.
func (d *desk) close() error {
	if d.started {
		d.thread.stopping.Store(true)
		realtime.Signal(d.thread.wake)
		<-d.thread.done
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.running = false
	err := errors.Join(d.thread.failed, d.events.Close(), unix.Close(d.thread.wake))
	for _, e := range d.entries {
		if e.line != nil {
			d.ending = append(d.ending, e.line)
		}
	}
	for _, l := range d.ending {
		err = errors.Join(err, unix.Close(l.fd))
	}
	for _, p := range d.ports {
		d.closing = append(d.closing, p)
	}
	for _, p := range d.closing {
		err = errors.Join(err, unix.Close(p.fd))
	}
	return err
}

func (d *desk) run(ctx context.Context) error {
	ticker := time.AfterFunc(0, d.wakeDeskLocked)
	defer ticker.Stop()
	var count [8]byte
	for ctx.Err() == nil {
		if d.started {
			select {
			case <-d.thread.done:
				return fmt.Errorf("the timing thread of BFD ended: %w", d.thread.failed)
			default:
			}
		}
		now := time.Now()
		d.mu.Lock()
		if d.changed {
			d.changed = false
			d.reconcile()
		}
		if len(d.entries) > 0 && !now.Before(d.nextTick) {
			d.nextTick = now.Add(tick)
			ticker.Reset(tick)
			d.look()
		}
		d.order(now)
		told := d.read()
		d.mu.Unlock()
		if told {
			d.tell()
		}
		d.retire()
		if _, err := d.events.Read(count[:]); err != nil {
			return fmt.Errorf("wait for events: %w", err)
		}
	}
	return nil
}

// reconcile makes the entries those of the peers that are wanted.
func (d *desk) reconcile() {
	before := d.entries
	d.entries = nil
	for _, peer := range d.wanted {
		i := slices.IndexFunc(before, func(e *entry) bool { return sameSession(e.peer, peer) })
		if i < 0 {
			d.entries = append(d.entries, &entry{peer: peer, since: time.Now()})
			continue
		}
		e := before[i]
		before = slices.Delete(before, i, i+1)
		if e.peer = peer; e.line != nil {
			e.line.wish.Store(&wish{interval: peer.Interval, multiplier: peer.Multiplier})
		}
		d.entries = append(d.entries, e)
	}
	for _, e := range before {
		d.end(e)
		d.counts.flaps.Add(e.flaps)
	}
	d.stale, d.nextTick = true, time.Time{}
}

// sameSession reports whether peers differ in no more than what may change of a session.
func sameSession(a, b announcer.BFDPeer) bool {
	a.Interval, a.Multiplier = b.Interval, b.Multiplier
	return a == b
}

// end has the thread give up the session of an entry.
func (d *desk) end(e *entry) {
	if e.line == nil {
		return
	}
	if r := e.line.report.Load(); r != nil {
		e.flaps += r.flaps
	}
	d.ending = append(d.ending, e.line)
	e.line, d.stale = nil, true
}

// look sees after what nobody signals: sockets that could not be opened, interfaces that
// are others than before, what is to be logged.
func (d *desk) look() {
	for _, e := range d.entries {
		if e.line == nil {
			d.stale = true
			continue
		}
		if zone := e.peer.Address.Zone(); zone != "" {
			if index, err := d.host.index(zone); err != nil || index != e.line.link {
				d.end(e)
			}
		}
	}
	for reason := taken + 1; reason < drops; reason++ {
		if n := &d.thread.notes[reason]; n.full.Load() {
			d.drops[reason].Do(func() {
				d.log.Warn("dropping BFD packets", "reason", reason.label(), "help", reason.help(),
					"router", n.router, "total", d.counts.drops[reason].Load())
			})
			n.full.Store(false)
		}
	}
}

// order gives the thread new orders if what is wanted changed.
func (d *desk) order(now time.Time) {
	last := d.leaving.Load()
	if last && (d.thread.orders.Load() == nil || !d.thread.orders.Load().last) {
		d.stale = true
	}
	if !d.stale {
		return
	}
	d.stale = false
	d.number++
	o := &orders{number: d.number, last: last}
	for _, e := range d.entries {
		if last {
			d.end(e)
			continue
		}
		d.begin(e, now)
		if e.line != nil {
			o.lines = append(o.lines, e.line)
		}
	}
	d.stale = false
	for _, l := range d.ending {
		if l.retired == 0 {
			l.retired = d.number
		}
	}
	o.ports = d.portsOf(append(slices.Clone(d.ending), o.lines...))
	d.thread.orders.Store(o)
	if len(o.lines) > 0 {
		d.start()
	}
	if d.started {
		realtime.Signal(d.thread.wake)
	} else if last {
		close(d.thread.parted)
	}
}

// start starts the thread.
func (d *desk) start() {
	if d.started {
		return
	}
	d.started = true
	go func() {
		d.thread.failed = d.thread.run()
		close(d.thread.done)
		d.wakeDeskLocked()
	}()
}

// begin opens what the session of an entry needs, if it has not.
func (d *desk) begin(e *entry, now time.Time) {
	if e.line != nil {
		return
	}
	line, err := d.newLine(e.peer)
	switch {
	case err == nil:
		e.line, e.fault = line, ""
		d.log.Info("watching a router by BFD", "router", e.peer.Address, "multihop", e.peer.Multihop,
			"interval", e.peer.Interval, "multiplier", e.peer.Multiplier)
	case err.Error() != e.fault:
		e.fault, e.since = err.Error(), now
		d.log.Warn("no BFD session, trying again", "router", e.peer.Address, "error", err)
	}
}

func (d *desk) newLine(peer announcer.BFDPeer) (*line, error) {
	l := &line{discriminator: d.discriminator(), address: peer.Address.WithZone(""), multihop: peer.Multihop}
	l.wish.Store(&wish{interval: peer.Interval, multiplier: peer.Multiplier})
	key := portKey{multihop: peer.Multihop, is4: peer.Address.Is4()}
	if zone := peer.Address.Zone(); zone != "" {
		index, err := d.host.index(zone)
		if err != nil {
			return nil, err
		}
		l.link = index
	}
	l.to = datagram.NewAddress(netip.AddrPortFrom(l.address, key.number()), l.link)
	fd, err := d.host.dial(peer)
	if err != nil {
		return nil, err
	}
	if err := d.openPort(key); err != nil {
		d.closeSocket(fd)
		return nil, err
	}
	l.fd = fd
	return l, nil
}

// openPort opens a port, or takes back one that is not closed yet.
func (d *desk) openPort(key portKey) error {
	if d.ports[key] != nil {
		return nil
	}
	if i := slices.IndexFunc(d.closing, func(p *port) bool { return p.portKey == key }); i >= 0 {
		d.ports[key] = d.closing[i]
		d.closing = slices.Delete(d.closing, i, i+1)
		return nil
	}
	fd, err := d.host.listen(key)
	if err != nil {
		return err
	}
	d.ports[key] = &port{portKey: key, fd: fd}
	return nil
}

// discriminator returns one that no session has, nobody can guess, and is not 0.
func (d *desk) discriminator() uint32 {
	for {
		n := rand.Uint32()
		used := slices.ContainsFunc(d.entries, func(e *entry) bool { return e.line != nil && e.line.discriminator == n })
		if n != 0 && !used {
			return n
		}
	}
}

// portsOf returns the ports that lines need, and takes the others out of use.
func (d *desk) portsOf(lines []*line) (all []*port) {
	for key, p := range d.ports {
		if slices.ContainsFunc(lines, func(l *line) bool { return l.multihop == key.multihop && l.address.Is4() == key.is4 }) {
			all = append(all, p)
			continue
		}
		p.retired = d.number
		d.closing = append(d.closing, p)
		delete(d.ports, key)
	}
	return all
}

// retire closes what the thread uses no more.
func (d *desk) retire() {
	applied := d.thread.applied.Load()
	d.ending = slices.DeleteFunc(d.ending, func(l *line) bool {
		// Orders may be replaced before the thread comes to see them.
		skipped := l.retired <= applied && !l.begun.Load()
		if !l.left.Load() && !skipped {
			return false
		}
		d.closeSocket(l.fd)
		d.stale = true // its port may be of no use
		d.wakeDeskLocked()
		return true
	})
	d.closing = slices.DeleteFunc(d.closing, func(p *port) bool {
		if p.retired > applied {
			return false
		}
		d.closeSocket(p.fd)
		return true
	})
}

func (d *desk) closeSocket(fd int) {
	if err := unix.Close(fd); err != nil {
		d.log.Error("cannot close a socket of BFD", "error", err)
	}
}
