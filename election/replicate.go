package election

import (
	"math"
	"slices"
	"time"
)

const (
	never = time.Duration(math.MaxInt64)
	// patience is how long what is missing may still be on its way: heartbeats
	// overtake the updates they are of.
	patience = 25 * time.Millisecond
	// firstRetry and lastRetry bound the time from one Request to the next. Of two
	// that find each other, one asks too early: it is a member in a heartbeat.
	firstRetry, lastRetry = 5 * time.Millisecond, time.Second
	// relist is the shortest time from one List for a member to the next.
	relist = 10 * time.Millisecond
	// maxClaims bounds the claims of a member, and the addresses that are known
	// from claims only.
	maxClaims = 1 << 16
	// maxHeld bounds the claims in updates of a member that are held back.
	maxHeld = 1 << 14
	// maxParts bounds a List.
	maxParts = maxClaims / (MaxEntryBytes / 17)
)

// member is one, with its claims as far as they are known: always as it told them
// in one version, and never taken from a version older than the newest heard of.
type member struct {
	Member
	joined time.Duration
	seed   uint64
	claims []*address
	have   Digest // of claims

	heard   Digest // the newest
	greeted bool   // heard is one
	newest  uint64 // version heard of
	wrong   bool   // have and heard are of one version, and differ
	held    map[uint64]Message
	holds   int // claims in held
	list    *listing

	ready  bool          // its claims were known once, or are no longer waited for
	due    time.Duration // of the next Request
	behind time.Duration // since when there was one to be due
	retry  time.Duration
	asks   bool          // wants a List
	listed time.Duration // when it last got one
}

func newMember(m Member) *member {
	return &member{Member: m, seed: seed(m.Node), due: never, retry: firstRetry, listed: -relist}
}

// inSync says that the claims of m are known.
func (m *member) inSync() bool { return m.greeted && m.have.Version >= m.newest && !m.wrong }

// hear takes note of a digest.
func (e *Election) hear(m *member, d Digest) {
	if m.greeted && d.Version < m.newest {
		return // It is late.
	}
	first := !m.greeted
	m.greeted, m.heard, m.newest = true, d, max(m.newest, d.Version)
	e.catchUp(m)
	if first && !m.inSync() {
		e.ask(m)
	}
}

// update takes note of a change; it is held back until those before it are there.
func (e *Election) update(m *member, msg Message) {
	if msg.Version <= m.have.Version {
		return
	}
	m.newest = max(m.newest, msg.Version)
	for _, addr := range msg.Dropped {
		if a, ok := e.addresses[addr]; ok {
			e.relinquish(a, a.claimed(m))
		}
	}
	size := 1 + len(msg.Claims) + len(msg.Dropped)
	if _, ok := m.held[msg.Version]; !ok && m.holds+size <= maxHeld {
		if m.held == nil {
			m.held = make(map[uint64]Message)
		}
		m.holds += size
		msg.Claims, msg.Dropped = slices.Clone(msg.Claims), slices.Clone(msg.Dropped)
		m.held[msg.Version] = msg
	}
	e.catchUp(m)
}

// catchUp applies what there is, if that leads to the newest version. A state
// in between is past already: who took a claim in it for one would give way to a
// node that gave the address up meanwhile.
func (e *Election) catchUp(m *member) {
	from, whole := m.have.Version, m.list.complete() && (m.wrong || m.list.version > m.have.Version)
	if whole {
		from = m.list.version
	}
	to := from
	for m.held[to+1].Kind == Update {
		to++
	}
	if !m.greeted || to < m.newest {
		e.chase(m)
		return
	}
	var changed []*address
	if whole {
		changed = e.replace(m, m.list.claims)
	}
	for v := from + 1; v <= to; v++ {
		changed = e.apply(m, m.held[v], changed)
	}
	m.have.Version, m.newest = to, to
	m.wrong = m.wrong && !whole && m.heard.Version != to || m.heard.Version == to && m.heard != m.have
	if whole || to > from {
		m.held, m.holds, m.list = nil, 0, nil
	}
	e.settleAll(changed)
	if m.wrong {
		e.chase(m)
		return
	}
	m.due, m.retry = never, firstRetry
	e.admit(m)
	e.open()
}

func (e *Election) apply(m *member, msg Message, changed []*address) []*address {
	for _, addr := range msg.Dropped {
		if a, ok := e.addresses[addr]; ok {
			m.remove(a)
			changed = append(changed, a)
		}
	}
	for _, c := range msg.Claims {
		if a := e.note(c.Address); a != nil {
			m.enter(a, c.hold())
			changed = append(changed, a)
		}
	}
	return changed
}

// replace makes the claims of m exactly these, and returns what is changed.
func (e *Election) replace(m *member, claims []Claim) []*address {
	holds := make(map[*address]hold, len(claims))
	for _, c := range claims {
		if a := e.note(c.Address); a != nil {
			holds[a] = c.hold()
		}
	}
	var changed []*address
	for _, a := range slices.Clone(m.claims) {
		if _, ok := holds[a]; !ok {
			e.relinquish(a, a.claimed(m))
			m.remove(a)
			changed = append(changed, a)
		}
	}
	for _, c := range claims {
		if a := e.addresses[c.Address]; a != nil && a.claimed(m) != holds[a] {
			m.enter(a, holds[a])
			changed = append(changed, a)
		}
	}
	return changed
}

func (c Claim) hold() hold {
	switch {
	case c.Yielding:
		return yielding
	case c.Tentative:
		return tentative
	default:
		return firm
	}
}

// chase asks for a List if what is missing does not come by itself.
func (e *Election) chase(m *member) {
	if m.greeted && m.due == never {
		m.due, m.behind = e.clock.elapsed+patience, e.clock.elapsed
	}
}

// ask sends a Request, and another after a while.
func (e *Election) ask(m *member) {
	e.out = append(e.out, Outgoing{To: m.ID, Message: Message{Kind: Request}})
	if m.due == never {
		m.behind = e.clock.elapsed
	}
	m.due = e.clock.elapsed + m.retry
	m.retry = min(2*m.retry, lastRetry)
}

// await begins to wait for the claims of one more member.
func (e *Election) await() {
	if e.unready == 0 {
		e.awaiting = e.clock.elapsed
	}
	e.unready++
}

// admit ends the waiting for the claims of m.
func (e *Election) admit(m *member) {
	if !m.ready {
		m.ready = true
		e.unready--
	}
}

func (e *Election) requested(m *member) {
	if e.clock.elapsed-m.listed >= relist {
		m.asks, m.listed = true, e.clock.elapsed
	}
}
