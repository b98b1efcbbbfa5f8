package bfd

import (
	"time"

	"github.com/heraldlb/herald/announcer/bfd/packet"
)

const (
	// slow is the shortest interval to send at while a session is not Up (RFC 5880
	// section 6.8.3).
	slow = time.Second
	// excuses bounds the time for which a silent router is excused by this end's own
	// lateness, in detection times.
	excuses = 4
	// farewellPause is the longest pause between two packets by which a session is
	// given up, farewellTime the longest that it takes. Section 6.8.16 has them sent
	// for a detection time, section 6.8.3 once a second, which is more than that.
	farewellPause = 100 * time.Millisecond
	farewellTime  = time.Second
)

// retime sets the intervals by what is wanted and by the state. A change while Up is
// confirmed by a poll sequence; what makes the other end late, or takes it for late, has
// to wait for the end of that (section 6.8.3).
func (s *session) retime() {
	desired, required := s.interval, s.interval
	if s.state != packet.Up {
		desired = max(desired, slow)
	}
	changed := desired != s.desired || required != s.required
	s.desired, s.required = desired, required
	if s.state != packet.Up {
		s.desiredInUse, s.requiredUse, s.polling, s.pollAgain = desired, required, false, false
		return
	}
	s.desiredInUse, s.requiredUse = min(s.desiredInUse, desired), max(s.requiredUse, required)
	if changed {
		s.polling, s.pollAgain, s.urgent = true, s.polling, true
	}
	s.hasten()
}

// confirmed ends a poll sequence, if there is one.
func (s *session) confirmed() {
	switch {
	case !s.polling:
	case s.pollAgain:
		s.pollAgain, s.urgent = false, true
	default:
		s.polling, s.desiredInUse, s.requiredUse = false, s.desired, s.required
	}
}

// txInterval is the time between two periodic packets, before jitter (section 6.8.2).
func (s *session) txInterval() time.Duration {
	if s.state == packet.AdminDown {
		return s.farewell.pause
	}
	return max(s.desiredInUse, s.remote.minRx)
}

// pace is the time between two periodic packets, with jitter: three quarters of the
// interval to all of it, or to nine tenths where one packet that is missed is death
// (section 6.8.7).
func (s *session) pace() time.Duration {
	interval := s.txInterval()
	least, most := interval/4*3, interval
	if s.multiplier == 1 {
		most = interval / 10 * 9
	}
	return least + s.random(most-least)
}

// join brings the next packet forward to now, as far as the jitter lets it.
func (s *session) join(now moment) {
	if s.sent > 0 && now >= s.sent+s.txInterval()/4*3 {
		s.due = min(s.due, now)
	}
}

// hasten brings the next packet forward where the interval became shorter.
func (s *session) hasten() {
	if s.due > s.sent+s.txInterval() {
		s.due = s.sent + s.pace()
	}
}

// periodic reports whether packets are sent without a cause (section 6.8.7).
func (s *session) periodic() bool {
	quiet := s.remote.demand && s.state == packet.Up && s.remote.state == packet.Up && !s.polling
	return s.remote.minRx > 0 && !quiet
}

// rxInterval is the longest time between two packets of the other end.
func (s *session) rxInterval() time.Duration { return max(s.requiredUse, s.remote.minTx) }

// deadline is when the silence of the other end is too long (section 6.8.4).
func (s *session) deadline() moment {
	if s.remote.discriminator == 0 {
		return never
	}
	detection := time.Duration(s.remote.multiplier) * s.rxInterval()
	return min(max(s.heard, s.hold)+detection, s.heard+excuses*detection)
}

// excuse is told that this end woke too late by that much. If it is much, silence counts
// from now: it is not the other end of whom something is to be thought. It reports
// whether it did.
func (s *session) excuse(now moment, late time.Duration) bool {
	if s.remote.discriminator == 0 || late <= s.rxInterval()/2 {
		return false
	}
	s.hold = now
	return true
}
