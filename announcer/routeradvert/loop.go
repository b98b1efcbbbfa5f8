package routeradvert

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/heraldlb/herald/announcer/l2/link"
)

// loop tells the agenda what happens, and does what it wants done.
type loop struct {
	*Advertiser
	changed func()
	agenda  *agenda
	// ports are the open ones, by their interface's epoch.
	ports map[uint64]*openedPort
	heard chan heard
	// readers are the goroutines of ports.
	readers sync.WaitGroup
	// told are the faults that were logged, by interface.
	told map[string]string
}

type openedPort struct {
	*port
	// closed ends when nobody waits for what is heard any more.
	closed chan struct{}
}

// heard is what became of a port: a solicitation came, or it failed.
type heard struct {
	from *openedPort
	err  error
}

func newLoop(a *Advertiser, changed func()) *loop {
	return &loop{
		Advertiser: a, changed: changed,
		agenda: newAgenda(func(limit time.Duration) time.Duration { return rand.N(limit + 1) }),
		ports:  make(map[uint64]*openedPort),
		heard:  make(chan heard),
		told:   make(map[string]string),
	}
}

// run returns when ctx ends and all ports are closed.
func (l *loop) run(ctx context.Context, changes <-chan []link.Interface) {
	defer l.readers.Wait()
	defer l.closeAll()
	// Before the interfaces are known, none is missing.
	select {
	case <-ctx.Done():
		return
	case known := <-changes:
		l.agenda.setKnown(time.Now(), known)
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case known := <-changes:
			l.agenda.setKnown(time.Now(), known)
		case <-l.wake:
			l.agenda.setNames(time.Now(), l.interfaces())
		case h := <-l.heard:
			if !l.hear(time.Now(), h) {
				continue
			}
		case <-timer.C:
		}
		l.perform(ctx, time.Now())
		if at, ok := l.agenda.next(); ok {
			timer.Reset(time.Until(at))
		}
	}
}

// hear takes in what became of a port, and reports whether that changes anything.
func (l *loop) hear(now time.Time, h heard) bool {
	epoch := h.from.on.Epoch
	switch {
	case l.ports[epoch] != h.from:
		return false
	case h.err != nil:
		l.close(epoch)
		l.agenda.done(now, epoch, h.err)
		return true
	default:
		return l.agenda.solicited(now, epoch)
	}
}

// perform does what is due, and tells what cannot be done.
func (l *loop) perform(ctx context.Context, now time.Time) {
	for epoch := range l.ports {
		if l.agenda.find(epoch) == nil {
			l.close(epoch)
		}
	}
	for _, on := range l.agenda.take(now) {
		err := l.advertise(ctx, on)
		if err != nil {
			l.close(on.Epoch)
		}
		l.agenda.done(now, on.Epoch, err)
	}
	l.report()
	if l.complain(l.agenda.complaints()) {
		l.changed()
	}
}

// advertise sends once, on a port that stays open for solicitations.
func (l *loop) advertise(ctx context.Context, on link.Interface) error {
	source := on.Source()
	if source.IsUnspecified() {
		return errNoAddress
	}
	p, ok := l.ports[on.Epoch]
	if !ok {
		opened, err := openPort(ctx, on)
		if err != nil {
			return err
		}
		p = &openedPort{port: opened, closed: make(chan struct{})}
		l.ports[on.Epoch] = p
		l.readers.Go(func() {
			err := p.hear(func() { l.tell(heard{from: p}) })
			l.tell(heard{from: p, err: err})
		})
	}
	return p.send(source)
}

// tell waits until the loop takes in what is heard, or the port is closed.
func (l *loop) tell(h heard) {
	select {
	case l.heard <- h:
	case <-h.from.closed:
	}
}

func (l *loop) close(epoch uint64) {
	p, ok := l.ports[epoch]
	if !ok {
		return
	}
	delete(l.ports, epoch)
	close(p.closed)
	if err := p.conn.Close(); err != nil {
		l.log.Error("cannot close a socket", "interface", p.on.Name, "error", err)
	}
}

func (l *loop) closeAll() {
	for epoch := range l.ports {
		l.close(epoch)
	}
}

// report logs what changed for interfaces.
func (l *loop) report() {
	now := make(map[string]string, len(l.agenda.entries))
	for _, e := range l.agenda.entries {
		before, known := l.told[e.name]
		if e.fault == nil && e.sent.IsZero() { // not tried, or too early to tell
			if known {
				now[e.name] = before
			}
			continue
		}
		fault := ""
		if e.fault != nil {
			fault = e.fault.Error()
		}
		now[e.name] = fault
		switch {
		case known && before == fault:
		case fault == "":
			l.log.Info("router advertisements", "interface", e.name)
		default:
			l.log.Warn("no router advertisements", "interface", e.name, "error", fault)
		}
	}
	l.told = now
}
