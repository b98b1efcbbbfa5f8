package election

// listing is a List of which parts are there.
type listing struct {
	version uint64
	here    []bool
	missing int
	claims  []Claim
}

func (l *listing) complete() bool { return l != nil && l.missing == 0 }

// list takes note of a part of a List. A newer List takes the place of one that
// is not complete.
func (e *Election) list(m *member, msg Message) {
	switch {
	case m.inSync() || msg.Version < m.have.Version:
		return
	case msg.Part >= msg.Parts || msg.Parts > maxParts:
		return
	case m.list == nil || msg.Version > m.list.version:
		m.list = &listing{version: msg.Version, here: make([]bool, msg.Parts), missing: int(msg.Parts)}
	}
	l := m.list
	if msg.Version != l.version || int(msg.Parts) != len(l.here) || l.here[msg.Part] || len(l.claims)+len(msg.Claims) > maxClaims {
		return
	}
	l.here[msg.Part] = true
	l.missing--
	m.due = max(m.due, e.clock.elapsed+patience)
	l.claims = append(l.claims, msg.Claims...)
	if l.missing == 0 {
		e.catchUp(m)
	}
}
