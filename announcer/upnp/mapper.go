package upnp

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Options are what a Mapper is told.
type Options struct {
	// Gateway is the address of the gateway; not valid: the one that the host routes by.
	Gateway netip.Addr
	Log     *slog.Logger
	// Changed is called when a status may be another. It must not block.
	Changed func()
}

// Statistics are what a Mapper counts.
type Statistics struct {
	// Found says that a gateway is known.
	Found bool
	// Searches counts those for a gateway, Maps the rules put in force or renewed,
	// Refusals what the gateway would not do, Failures the requests without an answer,
	// Losses how often a gateway had forgotten, or was not there any more.
	Searches, Maps, Refusals, Failures, Losses uint64
}

// Mapper keeps rules in force at the gateway.
type Mapper struct {
	finder  finder
	log     *slog.Logger
	changed func()
	wake    chan struct{}

	mu         sync.Mutex
	agenda     *agenda
	statistics Statistics

	// gateway is the last one found; Run's.
	gateway *Gateway
}

// NewMapper returns a Mapper without rules.
func NewMapper(o Options) *Mapper {
	return &Mapper{
		finder:  finder{pinned: o.Gateway},
		log:     o.Log,
		changed: o.Changed,
		wake:    make(chan struct{}, 1),
		agenda:  newAgenda(rand.Float64),
	}
}

// Set replaces the rules that are wanted. Those that are not any more are removed from
// the gateway, but for those to leave, which somebody else keeps in force.
func (m *Mapper) Set(wants []Want, leave []Rule) {
	m.note(func(now time.Time) { m.agenda.set(wants, leave, now) })
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// Statuses returns what came of each rule that is wanted.
func (m *Mapper) Statuses() map[Rule]Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.agenda.statuses(time.Now())
}

// Settled tells whether nothing is left to be removed.
func (m *Mapper) Settled() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.agenda.settled()
}

// Statistics returns what was counted.
func (m *Mapper) Statistics() Statistics {
	m.mu.Lock()
	defer m.mu.Unlock()
	statistics := m.statistics
	statistics.Found = m.agenda.found
	return statistics
}

// note calls f with the time, under the lock.
func (m *Mapper) note(f func(now time.Time)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f(time.Now())
}

// Run works until ctx ends, and returns nil. What is in force then stays so until its
// lease is over.
func (m *Mapper) Run(ctx context.Context) error {
	var ears ears
	defer ears.stop()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		var next step
		var at time.Time
		m.note(func(now time.Time) { next, at = m.agenda.next(now) })
		if next.action != rest {
			m.do(ctx, next, &ears)
			m.changed()
			continue
		}
		if at.IsZero() { // there is nothing to do, nor to hear
			ears.stop()
			timer.Stop()
		} else {
			timer.Reset(time.Until(at))
		}
		select {
		case <-ctx.Done():
		case <-m.wake:
		case <-timer.C:
		}
	}
	return nil
}

// do takes one step.
func (m *Mapper) do(ctx context.Context, next step, ears *ears) {
	var err error
	switch next.action {
	case search:
		err = m.search(ctx, ears)
	case check:
		err = m.check(ctx, next.want.Rule)
	case ask:
		err = m.ask(ctx, next.want)
	case remove:
		err = m.remove(ctx, next.want)
	default:
		return
	}
	if err == nil || ctx.Err() != nil {
		return
	}
	first := false
	m.note(func(now time.Time) {
		first = m.agenda.troubles == 0
		if m.agenda.found {
			m.statistics.Losses++
		}
		m.statistics.Failures++
		m.agenda.failed(clipped(err.Error(), maxProblem), now)
	})
	if first {
		m.log.Warn("no gateway to map ports", "error", clipped(err.Error(), maxProblem))
	}
}

func (m *Mapper) search(ctx context.Context, ears *ears) error {
	gateway, err := m.finder.find(ctx)
	m.note(func(time.Time) { m.statistics.Searches++ })
	if err != nil {
		return err
	}
	if m.gateway == nil || m.gateway.boot != gateway.boot || m.gateway.Address != gateway.Address || m.gateway.Kind != gateway.Kind {
		m.log.Info("gateway found", "address", gateway.Address, "service", gateway.Kind, "pinholes", gateway.firewall != nil)
	} else {
		gateway.pinholes = m.gateway.pinholes // it has not restarted
	}
	m.gateway = gateway
	m.note(func(now time.Time) { m.agenda.discovered(gateway.boot, now) })
	m.hear(ctx, ears)
	return nil
}

// hear listens to the gateway. It can do without.
func (m *Mapper) hear(ctx context.Context, ears *ears) {
	address, link, err := m.finder.address()
	if err != nil || address != m.gateway.Address {
		return
	}
	ears.start(ctx, address, link, func(heard notice) {
		m.note(func(now time.Time) { m.agenda.noticed(heard, now) })
		select {
		case m.wake <- struct{}{}:
		default:
		}
	}, func(err error) {
		m.log.Info("a gateway's restart is noticed later", "error", err)
	})
}

func (m *Mapper) check(ctx context.Context, rule Rule) error {
	external, uptime, err := m.gateway.Condition(ctx)
	if err != nil && !isRefusal(err) {
		return err
	}
	there := true
	switch {
	case !rule.Client.IsValid():
	case rule.Client.Is6():
		there, err = m.gateway.Opened(ctx, rule)
	default:
		var entry Entry
		entry, there, err = m.gateway.Lookup(ctx, rule)
		there = err != nil || there && entry.Client == netip.AddrPortFrom(rule.Client, rule.Port)
	}
	if err != nil && !isRefusal(err) {
		return err
	}
	if !there {
		m.log.Info("the gateway has lost a mapping", "gateway", m.gateway.Address, "rule", rule)
	}
	m.note(func(now time.Time) {
		if !there {
			m.statistics.Losses++
		}
		m.agenda.checked(condition{external, uptime}, rule, there, now)
	})
	return nil
}

func (m *Mapper) ask(ctx context.Context, want Want) error {
	secret := false // what the port is mapped to now
	if want.Client.Is4() {
		entry, there, err := m.gateway.Lookup(ctx, want.Rule)
		secret = isRefusal(err)
		switch {
		case err != nil && !secret:
			m.note(func(now time.Time) { m.agenda.tried(want.Rule, now) })
			return err
		case there && entry.Client != netip.AddrPortFrom(want.Client, want.Port):
			m.deny(want.Rule, Conflict, fmt.Sprintf("the gateway %s passes %d/%s on to %s already (%q)",
				m.gateway.Address, want.Port, want.Protocol, entry.Client, entry.Description))
			return nil
		}
	}
	lease, err := m.gateway.Map(ctx, want)
	switch {
	case secret && hasCode(err, conflictOfEntry, otherMechanism):
		m.deny(want.Rule, Conflict, m.said(err))
	case isRefusal(err):
		m.deny(want.Rule, Refused, m.said(err))
	case err != nil:
		m.note(func(now time.Time) { m.agenda.tried(want.Rule, now) })
		return err
	default:
		m.note(func(now time.Time) {
			m.statistics.Maps++
			m.agenda.mapped(want.Rule, lease, now)
		})
	}
	return nil
}

// said quotes the gateway.
func (m *Mapper) said(err error) string {
	return fmt.Sprintf("the gateway %s: %v", m.gateway.Address, err)
}

func (m *Mapper) deny(rule Rule, state State, problem string) {
	m.note(func(now time.Time) {
		m.statistics.Refusals++
		m.agenda.denied(rule, state, problem, now)
	})
}

// remove ends a rule, unless the port is mapped to somebody else by now.
func (m *Mapper) remove(ctx context.Context, want Want) error {
	ours := true
	if want.Client.Is4() {
		entry, there, err := m.gateway.Lookup(ctx, want.Rule)
		if err != nil && !isRefusal(err) {
			return err
		}
		ours = err != nil || there && entry.Client == netip.AddrPortFrom(want.Client, want.Port)
	}
	if ours {
		err := m.gateway.Unmap(ctx, want.Rule)
		if err != nil && !isRefusal(err) {
			return err
		}
		if err != nil {
			m.log.Warn("the gateway keeps a mapping until its lease is over", "gateway", m.gateway.Address, "rule", want.Rule, "error", err)
		}
	}
	m.note(func(time.Time) { m.agenda.removed(want.Rule) })
	return nil
}

// ears listen to one gateway at a time.
type ears struct {
	cancel context.CancelFunc
	done   chan struct{}
	to     netip.Addr
	link   int
}

// start listens to a gateway, if it does not yet.
func (e *ears) start(ctx context.Context, address netip.Addr, link *net.Interface, told func(notice), deaf func(error)) {
	if e.cancel != nil && e.to == address && e.link == link.Index {
		return
	}
	e.stop()
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	e.cancel, e.done, e.to, e.link = cancel, done, address, link.Index
	go func() {
		defer close(done)
		if err := listen(ctx, address, link, told); err != nil {
			deaf(err)
		}
	}()
}

// stop listens no longer.
func (e *ears) stop() {
	if e.cancel != nil {
		e.cancel()
		<-e.done
		e.cancel = nil
	}
}
