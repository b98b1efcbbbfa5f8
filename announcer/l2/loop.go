package l2

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/time/rate"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/l2/link"
)

// loop tells the engine what happens, and does what it wants done.
type loop struct {
	announcer *Announcer
	reporter  Reporter
	log       *slog.Logger
	engine    *engine
	sightings *sightings
	failures  chan portFailure

	interfaces []link.Interface
	ports      map[portKey]*openedPort
	outages    outages
	// running are the ports that are not closed.
	running sync.WaitGroup

	// warnings and complaints bound what is logged of strangers, and of frames
	// that cannot be sent.
	warnings   *rate.Limiter
	complaints rate.Sometimes
}

type openedPort struct {
	*port
	close context.CancelFunc
}

// portFailure says that a port ended by itself.
type portFailure struct {
	key  portKey
	port *port
	err  error
}

func newLoop(a *Announcer, reporter Reporter) *loop {
	return &loop{
		announcer: a,
		reporter:  reporter,
		log:       a.log,
		engine:    newEngine(a.timing, randomDuration),
		sightings: newSightings(),
		failures:  make(chan portFailure),
		ports:     make(map[portKey]*openedPort),
		outages:   make(outages),

		warnings:   rate.NewLimiter(rate.Every(time.Second), 20),
		complaints: rate.Sometimes{First: 10, Interval: time.Minute},
	}
}

// randomDuration returns a duration from 0 to limit.
func randomDuration(limit time.Duration) time.Duration { return rand.N(limit + 1) }

// run returns when ctx ends and all ports are closed.
func (l *loop) run(ctx context.Context, changes <-chan []link.Interface) {
	defer l.running.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// Before the interfaces are known, no address is off-link.
	select {
	case <-ctx.Done():
		return
	case interfaces := <-changes:
		l.setInterfaces(time.Now(), interfaces)
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case interfaces := <-changes:
			l.setInterfaces(time.Now(), interfaces)
		case <-l.announcer.inbox.wake:
			l.order(time.Now(), l.announcer.inbox.take())
		case <-l.sightings.wake:
			l.sighted(time.Now(), l.sightings.take())
		case f := <-l.failures:
			l.failed(time.Now(), f)
		case <-l.announcer.pings:
		case <-timer.C:
		}
		now := time.Now()
		l.mend(now)
		l.engine.advance(now)
		l.perform(ctx, now)
		if at, ok := l.next(now); ok {
			timer.Reset(time.Until(at))
		}
	}
}

// setInterfaces takes in what the interfaces are now. A link-local address may be given, or proven
// to be ours, while a port is open.
func (l *loop) setInterfaces(now time.Time, interfaces []link.Interface) {
	l.interfaces = interfaces
	for _, i := range interfaces {
		if p, open := l.ports[portKey{epoch: i.Epoch, family: v6}]; open {
			p.linkLocal = i.LinkLocal
		}
	}
	l.engine.setInterfaces(now, interfaces)
}

// order tells the engine what is to be announced.
func (l *loop) order(now time.Time, orders []order) {
	bulk := l.engine.many(len(orders))
	for _, o := range orders {
		switch {
		case !o.wanted:
			l.engine.delete(now, o.Address)
		case !l.engine.put(now, o.Announcement, bulk) && o.again:
			l.engine.again(now, o.Address)
		default:
		}
	}
}

// sighted tells the engine who was seen, and counts conflicts.
func (l *loop) sighted(now time.Time, seen []sighting) {
	for _, s := range seen {
		p, open := l.ports[portKey{epoch: s.epoch, family: familyOf(s.addr)}]
		if l.engine.sighted(now, s) && open {
			p.counters.conflicts.Add(1)
		}
	}
}

// perform does what the engine wants done, in an order that makes who is asked
// because of an announcement able to answer.
func (l *loop) perform(ctx context.Context, now time.Time) {
	for wanted := l.engine.take(); !wanted.none(); wanted = l.engine.take() {
		for key, changes := range wanted.roles {
			if err := l.setRoles(ctx, key, changes); err != nil {
				l.fail(now, key, err)
			}
		}
		for _, t := range wanted.frames {
			l.send(now, t)
		}
		for _, s := range wanted.statuses {
			l.report(ctx, s)
		}
	}
	l.announcer.announced.v4.Store(int64(l.engine.announced[v4]))
	l.announcer.announced.v6.Store(int64(l.engine.announced[v6]))
}

// setRoles changes the roles of addresses on a port, which is open as long as
// any has one.
func (l *loop) setRoles(ctx context.Context, key portKey, changes map[netip.Addr]role) error {
	p, ok := l.ports[key]
	if !ok {
		if allIgnored(changes) {
			return nil
		}
		var err error
		if p, err = l.open(ctx, key); err != nil {
			return err
		}
	}
	p.set(changes)
	if p.idle() {
		l.close(key)
	}
	return nil
}

func allIgnored(changes map[netip.Addr]role) bool {
	for _, r := range changes {
		if r != ignored {
			return false
		}
	}
	return true
}

// open opens a port and runs it.
func (l *loop) open(ctx context.Context, key portKey) (*openedPort, error) {
	i := slices.IndexFunc(l.interfaces, func(i link.Interface) bool { return i.Epoch == key.epoch })
	if i < 0 {
		return nil, errNoInterface
	}
	ifi := l.interfaces[i]
	opened, err := openPort(ifi, key.family, l.announcer.registry.counters(ifi.Name, key.family), l.sightings, l.log)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	l.running.Go(func() {
		if err := opened.run(ctx); err != nil {
			select {
			case l.failures <- portFailure{key: key, port: opened, err: err}:
			case <-ctx.Done():
			}
		}
	})
	p := &openedPort{port: opened, close: cancel}
	l.ports[key] = p
	return p, nil
}

func (l *loop) close(key portKey) {
	if p, ok := l.ports[key]; ok {
		p.close()
		delete(l.ports, key)
	}
}

var errNoInterface = errors.New("the interface is gone")

// failed takes in that a port ended by itself, if it is still in use.
func (l *loop) failed(now time.Time, f portFailure) {
	if p, ok := l.ports[f.key]; ok && p.port == f.port {
		l.fail(now, f.key, f.err)
	}
}

// fail leaves a port alone for a while, after it failed.
func (l *loop) fail(now time.Time, key portKey, err error) {
	l.close(key)
	l.engine.setBroken(now, key, true)
	l.reporter.Broken(key.public(), true)
	until := l.outages.begin(now, key)
	l.log.Error("cannot announce, trying again later", "family", key.family, "error", err, "after", until.Sub(now))
}

// mend takes ports up again that were left alone for long enough.
func (l *loop) mend(now time.Time) {
	for _, key := range l.outages.end(now) {
		l.engine.setBroken(now, key, false)
		l.reporter.Broken(key.public(), false)
	}
}

// next returns when there is something to do.
func (l *loop) next(now time.Time) (at time.Time, ok bool) {
	at, ok = l.engine.next(now)
	if until, broken := l.outages.next(); broken && (!ok || until.Before(at)) {
		return until, true
	}
	return at, ok
}

// send sends the frame of a task.
func (l *loop) send(now time.Time, t task) {
	key := portKey{epoch: t.epoch, family: familyOf(t.addr)}
	p, ok := l.ports[key]
	if !ok {
		l.engine.refused(now, t)
		return
	}
	err := p.send(t)
	if err == nil {
		return
	}
	p.counters.unsent.Add(1)
	l.engine.refused(now, t)
	if !passing(err) {
		l.complaints.Do(func() { l.log.Error("cannot send", "address", t.addr, "error", err) })
	}
}

// passing reports whether an interface that does not take a frame is full, or
// down, of which the watcher will tell.
func passing(err error) bool {
	return errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.ENOBUFS) ||
		errors.Is(err, unix.ENETDOWN) || errors.Is(err, unix.ENXIO) || errors.Is(err, unix.ENODEV)
}

// report tells of a status. Beyond some, strangers are a matter of debugging:
// one station can play ten thousand.
func (l *loop) report(ctx context.Context, s announcer.Status) {
	level := slog.LevelDebug
	if s.Stranger != nil && l.warnings.Allow() {
		level = slog.LevelWarn
	}
	l.log.Log(ctx, level, "state of an address",
		"address", s.Address, "state", s.State, "interfaces", s.Interfaces, "stranger", s.Stranger)
	l.reporter.Report(s)
}
