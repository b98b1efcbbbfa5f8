package ownership

import "time"

// stand decides if this node takes addresses. One that hears no peer and no API
// server is cut off: the others have its addresses by now, so it withdraws, and
// listens before it takes any again.
func (m *mind) stand(now time.Time) {
	wasAlone, wasIsolated := m.alone, m.isolated
	unheard := m.facts.Nodes > 1 && len(m.peers) == 0
	m.alone = unheard && m.places.heard()
	switch {
	case !m.isolated && m.alone && m.facts.CutOff:
		m.isolated = true
		m.counts.isolations++
		m.election.Withdraw(now)
	case m.isolated && (!unheard || !m.facts.CutOff):
		m.isolated, m.alone = false, false
		m.listenAnew(now)
	default:
	}
	m.effects.view = m.effects.view || m.alone != wasAlone || m.isolated != wasIsolated
	// Whoever still listens says that it takes addresses: of nodes that start at
	// once, the first is not to take all.
	m.standing = m.informed && m.cluster && !m.facts.Excluded && !m.isolated && !m.leaving
	m.election.Stand(now, m.standing && m.places.heard())
}

// listenAnew has others listened to before anything is claimed again.
func (m *mind) listenAnew(now time.Time) {
	m.places.listen(now.Add(m.listening()))
	m.placeAll(now)
}

// Listening returns for how long an announcer that heartbeats at an interval, 0
// if that follows from the number of nodes, listens before it claims anything: at
// least as long as two nodes with default settings take to find one dead, and as
// three heartbeats of this cluster take.
func Listening(interval time.Duration) func(nodes int) time.Duration {
	const least, families, perSecond = 200 * time.Millisecond, 2, 2000
	return func(nodes int) time.Duration {
		beat := max(interval, time.Duration(nodes)*families*time.Second/perSecond)
		return max(least, 3*beat)
	}
}
