package announcement

import (
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/heraldlb/herald/announcer"
)

// decision is what the facts say of an address.
type decision struct {
	// eligible says that this node may own it, nobody that no node may.
	eligible, nobody bool
	// local says that a holder has externalTrafficPolicy: Local; then hosts are
	// those that may own it.
	local bool
	hosts []string
	// invalid says why no node can even try; nil if one can.
	invalid error
	// routed says that BGP alone announces the address: the announcer is not told of it.
	routed bool
}

func (d decision) equal(other decision) bool {
	text := func(err error) string {
		if err == nil {
			return ""
		}
		return err.Error()
	}
	return d.eligible == other.eligible && d.nobody == other.nobody && d.local == other.local && d.routed == other.routed &&
		slices.Equal(d.hosts, other.hosts) && text(d.invalid) == text(other.invalid)
}

// record is what this agent knows of an address.
type record struct {
	decision
	// held says that a Service holds the address.
	held bool
	// status is the announcer's last word, of no state if it said none.
	status announcer.Status
	// changed is when the decision, or what the status says of the owner, last changed.
	changed time.Time
	// away says that the announcer has been away for a while since.
	away bool
}

// ledger joins what was decided of each address and what was observed of it.
type ledger struct {
	mu      sync.Mutex
	records map[netip.Addr]*record
	// away says that the announcer has been away for a while.
	away bool
}

func newLedger() *ledger { return &ledger{records: make(map[netip.Addr]*record)} }

// decided notes a decision on an address that is held.
func (l *ledger) decided(addr netip.Addr, d decision) {
	l.mu.Lock()
	defer l.mu.Unlock()
	rec := l.record(addr)
	if !rec.held || !rec.equal(d) {
		rec.changed = time.Now()
	}
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
	if status.State == announcer.Withdrawn {
		status = announcer.Status{}
	}
	if rec.status.State != status.State || rec.status.Owner != status.Owner {
		rec.changed = time.Now()
	}
	rec.status = status
	l.tidy(status.Address, rec)
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

// routed returns the addresses that BGP alone announces.
func (l *ledger) routed() []netip.Addr {
	l.mu.Lock()
	defer l.mu.Unlock()
	var routed []netip.Addr
	for addr, rec := range l.records {
		if rec.held && rec.routed {
			routed = append(routed, addr)
		}
	}
	return routed
}

// reset forgets what was observed: the announcer is there, and will say it anew.
func (l *ledger) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.away = false
	for addr, rec := range l.records {
		rec.status, rec.changed = announcer.Status{}, time.Now()
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
	known.away = l.away && !known.routed
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
