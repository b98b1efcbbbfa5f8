package announcement

import (
	"net/netip"
	"sync"

	"github.com/heraldlb/herald/announcer"
)

// decision is what the facts say of an address.
type decision struct {
	// owner is the node that announces it, "" if none is eligible.
	owner string
	// speaker is the node that reports on it: the owner, if there is one.
	speaker string
	// local says that a holder has externalTrafficPolicy: Local.
	local bool
	// invalid says why nobody can even try; nil if the owner can.
	invalid error
}

// record is what this agent knows of an address.
type record struct {
	decision
	// held says that a Service holds the address.
	held bool
	// status is the announcer's last word, of no state if it said none.
	status announcer.Status
	// away says that the announcer has been away for a while since.
	away bool
}

// ledger joins what was decided of each address and what was observed of it.
type ledger struct {
	self string

	mu      sync.Mutex
	records map[netip.Addr]*record
	// away says that the announcer has been away for a while.
	away bool
}

func newLedger(self string) *ledger {
	return &ledger{self: self, records: make(map[netip.Addr]*record)}
}

// decided notes a decision on an address that is held.
func (l *ledger) decided(addr netip.Addr, d decision) {
	l.mu.Lock()
	defer l.mu.Unlock()
	rec := l.record(addr)
	rec.held, rec.decision = true, d
}

// released notes that no Service holds the address.
func (l *ledger) released(addr netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	rec := l.record(addr)
	*rec = record{status: rec.status}
	l.tidy(addr, rec)
}

// observed notes the announcer's word.
func (l *ledger) observed(status announcer.Status) {
	l.mu.Lock()
	defer l.mu.Unlock()
	rec := l.record(status.Address)
	rec.status = status
	if status.State == announcer.Withdrawn {
		rec.status = announcer.Status{}
		l.tidy(status.Address, rec)
	}
}

// announcerAway notes that the announcer is away, and returns the addresses that
// Services hold.
func (l *ledger) announcerAway() []netip.Addr {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.away = true
	var held []netip.Addr
	for addr, rec := range l.records {
		if rec.held {
			held = append(held, addr)
		}
	}
	return held
}

// reset forgets what was observed: the announcer is there, and will say it anew.
func (l *ledger) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.away = false
	for addr, rec := range l.records {
		rec.status = announcer.Status{}
		l.tidy(addr, rec)
	}
}

// look returns the record of addr.
func (l *ledger) look(addr netip.Addr) record {
	l.mu.Lock()
	defer l.mu.Unlock()
	var known record
	if rec := l.records[addr]; rec != nil {
		known = *rec
	}
	known.away = l.away
	return known
}

func (l *ledger) record(addr netip.Addr) *record {
	rec := l.records[addr]
	if rec == nil {
		rec = new(record)
		l.records[addr] = rec
	}
	return rec
}

func (l *ledger) tidy(addr netip.Addr, rec *record) {
	if !rec.held && rec.status.State == "" {
		delete(l.records, addr)
	}
}
