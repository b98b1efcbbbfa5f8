package bfd

import (
	"time"

	"github.com/heraldlb/herald/announcer/bfd/packet"
)

// moment is a time since the thread began.
type moment = time.Duration

// never is when nothing is due.
const never = moment(1<<63 - 1)

// session is the state of one session (RFC 5880 section 6.8.1), in asynchronous mode. It
// is pure: it is told what came, and when, and tells what is to be sent, and when it is
// to be asked next.
type session struct {
	// What it was told.

	interval   time.Duration
	multiplier uint8
	local      uint32 // the discriminator
	// random returns a duration that is not negative and less than the one given.
	random func(time.Duration) time.Duration

	// How it stands.

	state      packet.State
	diagnostic packet.Diagnostic
	since      moment
	flaps      uint64
	remote     remote
	// heard is when the last packet came. hold is when this end may have missed some.
	heard, hold moment

	// desired and required are the intervals that are told. Those in use differ from
	// them until a poll sequence ends (section 6.8.3).
	desired, required         time.Duration
	desiredInUse, requiredUse time.Duration
	// polling: the other end is asked to confirm them. pollAgain: they changed since.
	polling, pollAgain bool

	// final: a poll is to be answered. urgent: what there is to say is new.
	final, urgent bool
	sent, due     moment // the last periodic packet, and the next
	farewell      farewell
}

// remote is what the other end said last.
type remote struct {
	discriminator uint32 // 0: nothing is known of it
	state         packet.State
	demand        bool
	multiplier    uint8
	minTx, minRx  time.Duration
}

// nobody is one that said nothing. It takes packets at any pace (section 6.8.1).
func nobody() remote { return remote{state: packet.Down, minRx: time.Microsecond} }

// farewell is how a session is given up.
type farewell struct {
	until moment
	pause time.Duration
}

// newSession begins a session. It is the active one of section 6.1.
func newSession(now moment, discriminator uint32, interval time.Duration, multiplier uint8, random func(time.Duration) time.Duration) *session {
	s := &session{
		interval: interval, multiplier: multiplier, local: discriminator, random: random,
		state: packet.Down, since: now, remote: nobody(), urgent: true,
	}
	s.retime()
	return s
}

// configure changes the interval and the multiplier.
func (s *session) configure(interval time.Duration, multiplier uint8) {
	s.urgent = s.urgent || multiplier != s.multiplier
	s.interval, s.multiplier = interval, multiplier
	s.retime()
}

// receive takes in a packet that is the session's (section 6.8.6) and came at that time.
func (s *session) receive(at moment, p *packet.Packet) {
	s.heard = max(s.heard, at)
	s.remote = remote{
		discriminator: p.My, state: p.State, demand: p.Demand, multiplier: p.Multiplier,
		minTx: p.DesiredMinTx, minRx: p.RequiredMinRx,
	}
	if p.Final {
		s.confirmed()
	}
	if s.state == packet.AdminDown {
		return
	}
	s.follow(at)
	s.final = s.final || p.Poll
	s.hasten()
}

// follow is the state machine (section 6.2).
func (s *session) follow(at moment) {
	theirs := s.remote.state
	switch {
	case theirs == packet.AdminDown:
		if s.state != packet.Down {
			s.enter(at, packet.Down, packet.NeighborDown)
		}
	case s.state == packet.Down && theirs == packet.Down:
		s.enter(at, packet.Init, s.diagnostic)
	case s.state == packet.Down && theirs == packet.Init,
		s.state == packet.Init && theirs != packet.Down:
		s.enter(at, packet.Up, packet.NoDiagnostic)
	case s.state == packet.Up && theirs == packet.Down:
		s.enter(at, packet.Down, packet.NeighborDown)
	}
}

func (s *session) enter(now moment, state packet.State, why packet.Diagnostic) {
	// What is taken down on purpose is not dead (RFC 5882 section 4.2).
	if s.state == packet.Up && state != packet.AdminDown && s.remote.state != packet.AdminDown {
		s.flaps++
	}
	s.state, s.diagnostic, s.since, s.urgent = state, why, now, true
	s.retime()
}

// expire takes note of the other end's silence.
func (s *session) expire(now moment) {
	if now < s.deadline() {
		return
	}
	s.remote = nobody()
	if s.state == packet.Init || s.state == packet.Up {
		s.enter(now, packet.Down, packet.TimeExpired)
	}
}

// leave gives the session up: the other end is to hear of it, and not to take it for
// death.
func (s *session) leave(now moment) {
	if s.state == packet.AdminDown {
		return
	}
	s.farewell.pause = min(s.txInterval(), farewellPause)
	s.farewell.until = now + min(time.Duration(s.multiplier)*s.farewell.pause, farewellTime)
	s.enter(now, packet.AdminDown, packet.Administrative)
}

// left reports whether all is said that leave has to say: a packet at least, and others
// until the other end is no longer Up, or would have found out.
func (s *session) left(now moment) bool {
	return s.state == packet.AdminDown && !s.urgent && (s.remote.state < packet.Init || now >= s.farewell.until)
}

// emit makes a packet that is to be sent now. It is called until there is none.
func (s *session) emit(now moment, p *packet.Packet) bool {
	final := s.final
	switch {
	case final:
		// At once, whatever the timer says (section 6.8.7).
		s.final = false
	case s.urgent || s.periodic() && now >= s.due:
		s.urgent, s.sent, s.due = false, now, now+s.pace()
	default:
		return false
	}
	*p = packet.Packet{
		Diagnostic: s.diagnostic, State: s.state, Final: final, Poll: s.polling && !final, Independent: true,
		Multiplier: s.multiplier, My: s.local, Your: s.remote.discriminator,
		DesiredMinTx: s.desired, RequiredMinRx: s.required,
	}
	return true
}

// next is when emit or expire have something to do.
func (s *session) next() moment {
	switch {
	case s.final || s.urgent:
		return 0
	case s.periodic():
		return min(s.due, s.deadline())
	default:
		return s.deadline()
	}
}

// calm reports whether the session is Up, and was a moment ago, and nothing is asked.
func (s *session) calm(now moment) bool {
	return s.state == packet.Up && s.remote.state == packet.Up && !s.polling && now-s.since > slow
}
