package bgp

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	packet "github.com/osrg/gobgp/v4/pkg/packet/bgp"

	"github.com/heraldlb/herald/config/bgp"
)

// session is what this node has with one router: connections, one after the other.
type session struct {
	log     *slog.Logger
	changed func()
	drain   time.Duration
	// peer is without routes and next hops.
	peer Peer
	// wake: there are others.
	wake chan struct{}

	mu     sync.Mutex
	routes []Route
	hops   NextHops
	now    Session
	// hangUp ends the connection, nil if there is none.
	hangUp context.CancelCauseFunc
	// restarting until the first session of this process.
	restarting bool
}

func newSession(log *slog.Logger, changed func(), drain time.Duration, peer Peer, restarting bool) *session {
	routes, hops := peer.Routes, peer.NextHops
	peer.Routes, peer.NextHops = nil, NextHops{}
	return &session{
		log: log.With("peer", peer.Name), changed: changed, drain: drain, peer: peer,
		wake: make(chan struct{}, 1), routes: routes, hops: hops, restarting: restarting,
		now: Session{Peer: peer.Name, Address: peer.Address, ASN: peer.ASN, State: Idle, Since: time.Now()},
	}
}

// set replaces what the router is to be told.
func (s *session) set(peer Peer) {
	s.mu.Lock()
	s.routes, s.hops = peer.Routes, peer.NextHops
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// reset closes the connection, if there is one.
func (s *session) reset(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hangUp != nil {
		// RFC 9384. A NOTIFICATION ends graceful restart, too: the router keeps nothing.
		s.hangUp(refuse(packet.BGP_ERROR_CEASE, bfdDown, nil, reason))
	}
}

// bfdDown is the subcode of Cease of RFC 9384.
const bfdDown = 10

// snapshot is how the session stands.
func (s *session) snapshot() Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// note changes how the session stands.
func (s *session) note(change func(*Session)) {
	s.mu.Lock()
	before := s.now
	change(&s.now)
	differs := s.now != before
	s.mu.Unlock()
	if differs {
		s.changed()
	}
}

// enter says which state there is now.
func (s *session) enter(state State) {
	s.note(func(n *Session) {
		if (n.State == Established) != (state == Established) {
			n.Since = time.Now()
		}
		n.State = state
	})
}

// run has one connection after the other until ctx ends.
func (s *session) run(ctx context.Context) {
	logged := ""
	for {
		err := s.attempt(ctx)
		lost := s.ended(err)
		if ctx.Err() != nil {
			return
		}
		switch reason := err.Error(); {
		case lost:
			s.log.Warn("BGP session lost", "reason", reason)
		case reason != logged:
			s.log.Warn("no BGP session", "reason", reason)
		default:
			s.log.Debug("no BGP session", "reason", reason)
		}
		logged = err.Error()
		if !wait(ctx, jitter(connectTime(s.peer))) {
			return
		}
	}
}

// ended takes down that a connection ended, or did not begin, and says whether there was
// a session.
func (s *session) ended(err error) bool {
	lost := false
	s.note(func(n *Session) {
		if lost = n.State == Established; lost {
			n.Flaps++
			n.Since = time.Now()
		}
		n.State, n.Reason = Active, err.Error()
		n.Advertised, n.Withheld, n.Withheld6, n.Why = 0, 0, 0, ""
	})
	return lost
}

// attempt connects to the router, and has a session with it for as long as it lasts.
func (s *session) attempt(ctx context.Context) error {
	ctx, hangUp := context.WithCancelCause(ctx)
	defer hangUp(nil)
	s.mu.Lock()
	s.hangUp = hangUp
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.hangUp = nil
		s.mu.Unlock()
	}()

	router := s.peer.Address
	if s.peer.Interface != "" {
		s.enter(Idle)
		var err error
		if router, err = seek(ctx, s.peer.Interface, s.unseen); err != nil {
			return err
		}
	}
	s.enter(Connect)
	s.note(func(n *Session) { n.Address = router })
	tcp, err := dial(ctx, s.peer, router)
	switch {
	case ctx.Err() != nil:
		if err == nil {
			_ = tcp.Close()
		}
		return context.Cause(ctx)
	case err != nil:
		return err
	}
	s.enter(OpenSent)
	conn := attend(ctx, tcp, s.peer)
	err = conn.interpret(s.converse(conn))
	conn.bye(err)
	return err
}

// unseen says that there is no router to connect to yet.
func (s *session) unseen() { s.note(func(n *Session) { n.Reason = errUnseen.Error() }) }

// converse has a session on a connection until it is over, and says why it is.
func (s *session) converse(conn *connection) error {
	s.mu.Lock()
	restarting := s.restarting
	s.mu.Unlock()
	r, err := conn.handshake(restarting, func() { s.enter(OpenConfirm) })
	if err != nil {
		return err
	}
	s.established(r)

	again := newWishes()
	over := make(chan error, 1)
	go func() { over <- conn.listen(r.hold, again) }()
	teller := &teller{session: s, conn: conn, out: newRIBOut(s.peer, r, conn.local()), hold: r.hold}
	return teller.run(again, over)
}

func (s *session) established(r router) {
	s.mu.Lock()
	s.restarting = false
	s.mu.Unlock()
	s.note(func(n *Session) { n.State, n.Since, n.Reason = Established, time.Now(), "" })
	s.log.Info("BGP session established", "router", s.snapshot().Address, "routerID", r.id, "hold", r.hold)
}

// desired are the routes that the router is to be told, and where they lead.
func (s *session) desired() ([]Route, NextHops) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.routes, s.hops
}

func connectTime(peer Peer) time.Duration {
	if peer.ConnectTime > 0 {
		return peer.ConnectTime
	}
	return bgp.DefaultConnectTime
}

// jitter is of RFC 4271 section 10: from three quarters to all of it.
func jitter(d time.Duration) time.Duration { return d - rand.N(d/4+1) } //nolint:gosec // no secret

// wait says whether it waited all the time.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
