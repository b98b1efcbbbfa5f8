package ownership

import (
	"net/netip"
	"sync"
	"time"

	"github.com/heraldlb/herald/announcer"
)

// inbox takes what is said at any time by anybody, and nobody waits there, until
// the loop has time for it. What there may be much of is kept as the newest of
// each address, or may be lost.
type inbox struct {
	mu   sync.Mutex
	mail mail
	wake chan struct{}
}

// mail is what there is to take in.
type mail struct {
	// replaced: the candidacies are exactly those of all.
	replaced bool
	all      []announcer.Candidacy
	// changes are those of candidacies after that; nil: it has ended.
	changes map[netip.Addr]*announcer.Candidacy
	// words are all else.
	words []word
	// statuses are the newest of what came of announcements.
	statuses map[netip.Addr]announcer.Status
}

// word tells a mind something.
type word func(*mind, time.Time)

// maxWords bounds the words that wait, beyond which those are lost that may be.
const maxWords = 1 << 14

func newInbox() *inbox { return &inbox{wake: make(chan struct{}, 1)} }

// add changes the mail.
func (b *inbox) add(change func(*mail)) {
	b.mu.Lock()
	change(&b.mail)
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// say adds a word.
func (b *inbox) say(w word) { b.add(func(m *mail) { m.words = append(m.words, w) }) }

// mention adds a word that may be lost when there are too many.
func (b *inbox) mention(w word) {
	b.add(func(m *mail) {
		if len(m.words) < maxWords {
			m.words = append(m.words, w)
		}
	})
}

func (b *inbox) change(addr netip.Addr, c *announcer.Candidacy) {
	b.add(func(m *mail) {
		if m.changes == nil {
			m.changes = make(map[netip.Addr]*announcer.Candidacy)
		}
		m.changes[addr] = c
	})
}

func (b *inbox) replace(all []announcer.Candidacy) {
	b.add(func(m *mail) { m.replaced, m.all, m.changes = true, all, nil })
}

func (b *inbox) report(s announcer.Status) {
	b.add(func(m *mail) {
		if m.statuses == nil {
			m.statuses = make(map[netip.Addr]announcer.Status)
		}
		m.statuses[s.Address] = s
	})
}

// take empties the inbox.
func (b *inbox) take() mail {
	b.mu.Lock()
	defer b.mu.Unlock()
	taken := b.mail
	b.mail = mail{}
	return taken
}

// read tells the mind what is in the mail.
func (m *mind) read(now time.Time, in mail) {
	for _, w := range in.words {
		w(m, now)
	}
	if in.replaced {
		m.replace(now, in.all)
		m.settle(now) // What is removed is, before it may be put again.
	}
	for addr, c := range in.changes {
		if c == nil {
			m.remove(now, addr)
		} else {
			m.put(now, *c)
		}
	}
	for _, s := range in.statuses {
		m.reported(now, s)
	}
}

// replace makes the candidacies exactly these.
func (m *mind) replace(now time.Time, all []announcer.Candidacy) {
	m.informed = true
	stay := make(map[netip.Addr]struct{}, len(all))
	for _, c := range all {
		stay[c.Address] = struct{}{}
	}
	for addr := range m.records {
		if _, ok := stay[addr]; !ok {
			m.remove(now, addr)
		}
	}
	for _, c := range all {
		m.put(now, c)
	}
}
