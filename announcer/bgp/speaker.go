package bgp

import (
	"context"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	packet "github.com/osrg/gobgp/v4/pkg/packet/bgp"
)

// DefaultDrain is how long a router has to send its traffic elsewhere, from when the
// routes are withdrawn to the end of the session.
const DefaultDrain = time.Second

// Speaker has a session with each peer.
type Speaker struct {
	// Drain may be set before Run.
	Drain time.Duration

	log     *slog.Logger
	changed func()
	dirty   chan struct{}

	mu       sync.Mutex
	desired  []Peer
	sessions map[string]*running
	// parted are sessions with routers that are no peers any more, until they are over.
	parted []*running
}

// running is a session with what ends it.
type running struct {
	*session
	end  context.CancelCauseFunc
	done chan struct{}
}

// parting ends a session in order: the routes are withdrawn first.
type parting struct{ *refused }

func (p *parting) Unwrap() error { return p.refused }

// New returns a speaker that has no peers yet. It calls changed whenever a Session did;
// changed must not block.
func New(log *slog.Logger, changed func()) *Speaker {
	return &Speaker{Drain: DefaultDrain, log: log, changed: changed, dirty: make(chan struct{}, 1), sessions: make(map[string]*running)}
}

// Set replaces all peers and what they are told. A session goes on where its peer is as
// before but for NextHops and Routes. Peers is not to be changed afterwards.
func (s *Speaker) Set(peers []Peer) {
	s.mu.Lock()
	s.desired = peers
	s.mu.Unlock()
	select {
	case s.dirty <- struct{}{}:
	default:
	}
}

// Reset closes the session with a peer at once, if there is one, since the path to it is
// dead for a reason; it is tried again as after any other loss.
func (s *Speaker) Reset(peer, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.sessions[peer]; r != nil {
		r.reset(reason)
	}
}

// Sessions says how the sessions stand, sorted by peer.
func (s *Speaker) Sessions() []Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	sessions := make([]Session, 0, len(s.sessions))
	for _, name := range slices.Sorted(maps.Keys(s.sessions)) {
		sessions = append(sessions, s.sessions[name].snapshot())
	}
	return sessions
}

// Run has the sessions until ctx ends. Then it withdraws all routes, waits for Drain,
// and closes the sessions (Cease, Administrative Shutdown).
func (s *Speaker) Run(ctx context.Context) error {
	outlive := context.WithoutCancel(ctx)
	var all sync.WaitGroup
	for {
		select {
		case <-ctx.Done():
			s.mu.Lock()
			for _, r := range s.sessions {
				r.end(&parting{refuse(packet.BGP_ERROR_CEASE, packet.BGP_ERROR_SUB_ADMINISTRATIVE_SHUTDOWN, nil, "this node's agent stops")})
			}
			s.mu.Unlock()
			all.Wait()
			s.mu.Lock()
			clear(s.sessions)
			s.mu.Unlock()
			return nil
		case <-s.dirty:
			s.reconcile(outlive, &all)
			s.changed()
		}
	}
}

// reconcile makes of the sessions what is desired.
func (s *Speaker) reconcile(ctx context.Context, all *sync.WaitGroup) {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := make(map[string]bool, len(s.desired))
	for _, peer := range s.desired {
		names[peer.Name] = true
	}
	s.parted = slices.DeleteFunc(s.parted, (*running).over)
	for _, peer := range s.desired {
		old := s.before(peer, names)
		if old != nil && old == s.sessions[peer.Name] && alike(old.peer, peer) {
			old.set(peer)
			continue
		}
		s.start(ctx, peer, old, all)
	}
	for name, r := range s.sessions {
		if !names[name] {
			r.end(&parting{refuse(packet.BGP_ERROR_CEASE, packet.BGP_ERROR_SUB_PEER_DECONFIGURED, nil, "")})
			delete(s.sessions, name)
			s.parted = append(s.parted, r)
		}
	}
}

// before returns the session that one with a peer takes the place of, nil if there is none:
// that of its name; or one with the same router under a name that is gone, for a router
// refuses a second session, and then nobody tries for a while.
func (s *Speaker) before(peer Peer, names map[string]bool) *running {
	if r := s.sessions[peer.Name]; r != nil {
		return r
	}
	for name, r := range s.sessions {
		if !names[name] && r.with(peer) {
			delete(s.sessions, name)
			return r
		}
	}
	if at := slices.IndexFunc(s.parted, func(r *running) bool { return r.with(peer) }); at >= 0 {
		return s.parted[at]
	}
	return nil
}

// with says whether the session is with the router that a peer is.
func (s *session) with(peer Peer) bool {
	return s.peer.Address == peer.Address && s.peer.Interface == peer.Interface
}

func (r *running) over() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// start begins a session with a peer, after the one that it replaces.
func (s *Speaker) start(ctx context.Context, peer Peer, old *running, all *sync.WaitGroup) {
	restarting := true
	if old != nil {
		restarting = old.unmet()
		old.end(refuse(packet.BGP_ERROR_CEASE, packet.BGP_ERROR_SUB_OTHER_CONFIGURATION_CHANGE, nil, ""))
	}
	ctx, end := context.WithCancelCause(ctx)
	r := &running{
		session: newSession(s.log, s.changed, s.Drain, peer, restarting),
		end:     end, done: make(chan struct{}),
	}
	s.sessions[peer.Name] = r
	all.Go(func() {
		defer close(r.done)
		defer end(nil)
		if old != nil {
			<-old.done
		}
		r.run(ctx)
	})
}

// unmet: this process had no session with the router yet.
func (s *session) unmet() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.restarting
}

// alike says whether two peers share a session: they differ in what is told alone.
func alike(a, b Peer) bool {
	a.Routes, b.Routes = nil, nil
	a.NextHops, b.NextHops = NextHops{}, NextHops{}
	return reflect.DeepEqual(a, b)
}
