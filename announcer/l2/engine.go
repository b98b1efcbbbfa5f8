package l2

import (
	"bytes"
	"net/netip"
	"slices"
	"time"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/l2/frame"
	"github.com/heraldlb/herald/announcer/l2/link"
)

// engine decides what is answered and sent where and when. It has no socket
// and no clock: it is given facts, and what follows from them is taken from it.
type engine struct {
	timing Timing
	// random returns a duration from 0 to limit.
	random     func(limit time.Duration) time.Duration
	agenda     *agenda
	interfaces []link.Interface
	// broken are the ports that nothing is announced on.
	broken  map[portKey]bool
	entries map[netip.Addr]*entry
	// named counts the announcements that name an interface.
	named map[string]int
	// turns counts the turns that were given out to entries.
	turns uint64
	// announced counts the entries in that state.
	announced map[family]int
	effects   effects
}

// entry is one announcement and how far it has come.
type entry struct {
	announcer.Announcement
	state announcer.State
	since time.Time
	sites []site
	// turn is another number after each change of state: tasks of an older
	// turn are void.
	turn uint64
	// bulk: it was told of with many others, and gives way to those that were
	// told of alone.
	bulk bool
	// free: the address was probed and nobody used it.
	free bool
	conflict
}

// effects are what an engine wants done.
type effects struct {
	// roles are those that changed, of addresses on interfaces.
	roles map[portKey]map[netip.Addr]role
	// frames are those to be sent, in this order: tasks that send.
	frames []task
	// statuses are those that changed, in this order.
	statuses []announcer.Status
}

func (e *effects) none() bool {
	return len(e.roles) == 0 && len(e.frames) == 0 && len(e.statuses) == 0
}

// portKey names an interface, by its epoch, and a family.
type portKey struct {
	epoch  uint64
	family family
}

func (k portKey) public() Port { return Port{Epoch: k.epoch, IPv6: k.family == v6} }

func newEngine(t Timing, random func(limit time.Duration) time.Duration) *engine {
	return &engine{
		timing:    t,
		random:    random,
		agenda:    newAgenda(t.Rate, t.Burst),
		broken:    make(map[portKey]bool),
		entries:   make(map[netip.Addr]*entry),
		named:     make(map[string]int),
		announced: make(map[family]int),
	}
}

// many reports whether so many addresses at once delay others.
func (e *engine) many(addresses int) bool { return addresses > e.timing.Burst }

// put begins or changes an announcement, in bulk if it is one of many. What is
// being probed, or in conflict, stays so: who puts it again knows no better. It
// reports whether the announcement is a new one.
func (e *engine) put(now time.Time, a announcer.Announcement, bulk bool) bool {
	en, old := e.entries[a.Address]
	if !old {
		en = &entry{state: announcer.Withdrawn}
		en.Interface = a.Interface
		e.entries[a.Address] = en
		e.named[a.Interface]++
	}
	if en.Interface != a.Interface {
		e.unname(en.Interface)
		e.named[a.Interface]++
	}
	en.Announcement, en.bulk = a, bulk
	e.settle(now, en)
	return !old
}

// again tells everybody anew of an address that another node of ours answered
// for too. Whoever was met there was that node; one that is left is met anew. The
// status is told anew as well, for whoever was told another meanwhile.
func (e *engine) again(now time.Time, addr netip.Addr) {
	en, ok := e.entries[addr]
	switch {
	case !ok:
	case en.state == announcer.Announced:
		en.conflict = conflict{}
		e.newTurn(en)
		e.report(en)
		e.greet(en, en.sites)
	case en.state == announcer.Conflict:
		en.strikes = 0
		e.probe(now, en)
		e.report(en)
	default:
		e.report(en)
	}
}

// delete ends an announcement.
func (e *engine) delete(now time.Time, addr netip.Addr) {
	en, ok := e.entries[addr]
	if !ok {
		return
	}
	e.setSites(en, nil)
	en.conflict = conflict{}
	e.setState(now, en, announcer.Withdrawn)
	delete(e.entries, addr)
	e.unname(en.Interface)
}

func (e *engine) unname(name string) {
	if e.named[name]--; e.named[name] == 0 {
		delete(e.named, name)
	}
}

// setInterfaces says what the interfaces are now. On a node full of Pods they
// come and go all the time, and few of them matter.
func (e *engine) setInterfaces(now time.Time, interfaces []link.Interface) {
	before := e.eligible()
	e.interfaces = interfaces
	if slices.EqualFunc(before, e.eligible(), samePlace) {
		return
	}
	e.settleAll(now)
}

// setBroken says that a port is broken, or no longer.
func (e *engine) setBroken(now time.Time, key portKey, broken bool) {
	if broken {
		e.broken[key] = true
	} else {
		delete(e.broken, key)
	}
	e.settleAll(now)
}

func (e *engine) settleAll(now time.Time) {
	for _, en := range e.entries {
		en.bulk = e.many(len(e.entries))
		e.settle(now, en)
	}
}

// eligible returns the interfaces that some address may be announced on.
func (e *engine) eligible() []link.Interface {
	var all []link.Interface
	for _, i := range e.interfaces {
		if i.Up && (len(i.Prefixes) > 0 || e.named[i.Name] > 0) {
			all = append(all, i)
		}
	}
	return all
}

func samePlace(a, b link.Interface) bool {
	return a.Epoch == b.Epoch && slices.Equal(a.Prefixes, b.Prefixes)
}

// settle gives an entry the sites that it is to have now, and the state that
// follows from it.
func (e *engine) settle(now time.Time, en *entry) {
	var room [4]site
	sites := place(room[:0], en.Announcement, e.interfaces)
	sites = slices.DeleteFunc(sites, func(s site) bool { return e.broken[portKey{epoch: s.epoch, family: familyOf(en.Address)}] })
	unsettled := en.state == announcer.Withdrawn || en.state == announcer.OffLink
	if slices.Equal(sites, en.sites) && !unsettled {
		return
	}
	added := slices.DeleteFunc(slices.Clone(sites), func(s site) bool { return slices.Contains(en.sites, s) })
	e.setSites(en, slices.Clone(sites))
	switch {
	case len(sites) == 0:
		if en.state != announcer.OffLink {
			en.conflict = conflict{}
			e.setState(now, en, announcer.OffLink)
		}
	case unsettled && en.Probe && !en.free:
		e.probe(now, en)
	case unsettled:
		e.announce(now, en)
	case en.probing > 0:
		e.probe(now, en)
	case en.state == announcer.Conflict:
		e.setRoles(en, added, watched)
	default:
		e.setRoles(en, added, answered)
		e.greet(en, added)
		e.report(en)
	}
}

// announce makes an entry answered for, and tells everybody.
func (e *engine) announce(now time.Time, en *entry) {
	en.conflict = conflict{}
	e.setState(now, en, announcer.Announced)
	e.setRoles(en, en.sites, answered)
	e.greet(en, en.sites)
}

// greet sends the first announcement of an entry on some interfaces.
func (e *engine) greet(en *entry, sites []site) {
	for _, s := range sites {
		e.agenda.now(task{kind: sendAnnouncement, addr: en.Address, turn: en.turn, epoch: s.epoch, bulk: en.bulk})
	}
}

// next returns when advance is to be called; ok is false if nothing is planned.
func (e *engine) next(now time.Time) (at time.Time, ok bool) { return e.agenda.next(now) }

// advance does what is due.
func (e *engine) advance(now time.Time) {
	for {
		t, ok := e.agenda.due(now)
		if !ok {
			break
		}
		if en, ok := e.entry(t); ok {
			e.decide(now, en, t)
		}
	}
	for {
		t, ok := e.agenda.peek()
		if !ok {
			return
		}
		_, valid := e.entry(t)
		if valid && !e.agenda.limiter.AllowN(now, 1) {
			return
		}
		e.agenda.drop()
		if valid {
			e.transmit(now, t)
		}
	}
}

// entry returns the entry of a task, unless the task is void.
func (e *engine) entry(t task) (*entry, bool) {
	en, ok := e.entries[t.addr]
	return en, ok && en.turn == t.turn && (t.epoch == 0 || en.on(t.epoch))
}

// on reports whether an entry has a site of this epoch.
func (en *entry) on(epoch uint64) bool {
	return slices.ContainsFunc(en.sites, func(s site) bool { return s.epoch == epoch })
}

// transmit sends the frame of a task, and plans the one after it.
func (e *engine) transmit(now time.Time, t task) {
	e.effects.frames = append(e.effects.frames, t)
	if t.round < 0 {
		return
	}
	next := t
	next.round++
	if t.kind == sendProbe {
		e.afterProbe(now, next)
		return
	}
	next.kind = sendRepeat
	switch {
	case t.round < len(e.timing.Repeats):
		e.agenda.at(now.Add(e.timing.Repeats[t.round]), next)
	case e.timing.Refresh > 0:
		e.agenda.at(now.Add(e.timing.Refresh), next)
	}
}

const (
	// alone is the round of a frame that is sent once, lastAttempt that of one
	// that the interface refused too often to be tried again.
	alone       = -1
	lastAttempt = -8
	// refusedWait is how long an interface that refused a frame is left alone.
	refusedWait = 5 * time.Millisecond
)

// refused says that an interface did not take a frame: it is sent again, by
// itself, for the chain it belongs to goes on. Of probes, all are.
func (e *engine) refused(now time.Time, t task) {
	if t.kind == sendProbe {
		if en, ok := e.entry(t); ok && !slices.Contains(en.unasked, t.epoch) {
			en.unasked = append(en.unasked, t.epoch)
		}
		return
	}
	t.round = min(t.round, 0) + alone
	if t.round > lastAttempt {
		e.agenda.at(now.Add(refusedWait), t)
	}
}

// newTurn makes void what is planned for an entry.
func (e *engine) newTurn(en *entry) {
	e.turns++
	en.turn = e.turns
}

// setState changes the state of an entry; what is planned for it is void.
func (e *engine) setState(now time.Time, en *entry, state announcer.State) {
	e.newTurn(en)
	if en.state == state {
		return
	}
	if en.state == announcer.Announced {
		e.announced[familyOf(en.Address)]--
	}
	if state == announcer.Announced {
		e.announced[familyOf(en.Address)]++
	}
	en.state, en.since = state, now
	e.report(en)
}

// setSites makes sites those of an entry, and stops what was done on others.
func (e *engine) setSites(en *entry, sites []site) {
	gone := slices.DeleteFunc(en.sites, func(s site) bool { return slices.Contains(sites, s) })
	e.setRoles(en, gone, ignored)
	en.sites = sites
}

func (e *engine) setRoles(en *entry, sites []site, r role) {
	for _, s := range sites {
		key := portKey{epoch: s.epoch, family: familyOf(en.Address)}
		if e.effects.roles == nil {
			e.effects.roles = make(map[portKey]map[netip.Addr]role)
		}
		if e.effects.roles[key] == nil {
			e.effects.roles[key] = make(map[netip.Addr]role)
		}
		e.effects.roles[key][en.Address] = r
	}
}

func (e *engine) report(en *entry) {
	status := announcer.Status{Address: en.Address, State: en.state, Since: en.since}
	if en.stranger != (frame.MAC{}) {
		status.Stranger = bytes.Clone(en.stranger[:]) // the entry may meet another
	}
	if en.state == announcer.Announced {
		for _, s := range en.sites {
			status.Interfaces = append(status.Interfaces, s.name)
		}
		slices.Sort(status.Interfaces)
	}
	e.effects.statuses = append(e.effects.statuses, status)
}

// take returns what is to be done since the last call.
func (e *engine) take() effects {
	taken := e.effects
	e.effects = effects{}
	return taken
}
