package advertisement

import (
	"net/netip"
	"slices"
	"time"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/bgp"
)

// Report is how a node's sessions stand.
type Report struct {
	Sessions []Session `json:"sessions"`
	// Complaints are what somebody has to mend.
	Complaints []string `json:"complaints,omitempty"`
}

// Session is one, with what is known of the path to its router.
type Session struct {
	bgp.Session
	// BFD is nil if the path is not watched, or nothing is known of it yet.
	BFD *announcer.BFDStatus `json:"bfd,omitempty"`
}

// Report returns how the sessions stand.
func (a *Advertiser) Report() Report {
	sessions := a.Sessions()
	a.mu.Lock()
	defer a.mu.Unlock()
	report := Report{Sessions: make([]Session, 0, len(sessions))}
	for _, s := range sessions {
		told := Session{Session: s}
		if status, known := a.paths.last[a.paths.found[s.Peer]]; known {
			told.BFD = &status
		}
		report.Sessions = append(report.Sessions, told)
	}
	for _, c := range a.done.complaints {
		report.Complaints = append(report.Complaints, c.text)
	}
	return report
}

// Sessions returns the sessions of this node, sorted by peer, those included that are
// withheld for want of a password.
func (a *Advertiser) Sessions() []bgp.Session {
	now := a.speaker.Sessions()
	a.mu.Lock()
	defer a.mu.Unlock()
	all := slices.Clone(a.done.sessions)
	for i := range all {
		at := slices.IndexFunc(now, func(s bgp.Session) bool { return s.Peer == all[i].Peer })
		if at >= 0 {
			all[i] = now[at] // its counters are not what wakes the loop
		}
	}
	return all
}

// Outcome is what this node knows of the advertisement of an address. The names are
// those of peers.
type Outcome struct {
	// Told have been told of it, Silent would be and have no session, Withheld have
	// one, and cannot be told: Why says what is missing.
	Told, Silent, Withheld []string
	Why                    string
	// Since is when that last changed.
	Since time.Time
}

// Outcome returns that of an address.
func (a *Advertiser) Outcome(addr netip.Addr) Outcome {
	a.mu.Lock()
	defer a.mu.Unlock()
	o := Outcome{Since: a.done.settled}
	if o.Since.IsZero() {
		o.Since = time.Now() // what the node has to tell is not known yet
	}
	for _, i := range a.done.selection.peersOf(a.addresses[addr]) {
		name := a.done.selection.peers[i].Name
		at := slices.IndexFunc(a.done.sessions, func(s bgp.Session) bool { return s.Peer == name })
		switch {
		case at < 0 || a.done.sessions[at].State != bgp.Established:
			o.Silent = append(o.Silent, name)
		case withholds(a.done.sessions[at], addr):
			o.Withheld, o.Why = append(o.Withheld, name), a.done.sessions[at].Why
		default:
			o.Told = append(o.Told, name)
		}
	}
	return o
}

// withholds says whether s cannot tell of addresses of addr's family.
func withholds(s bgp.Session, addr netip.Addr) bool {
	if addr.Is6() {
		return s.Withheld6 > 0
	}
	return s.Withheld > s.Withheld6
}
