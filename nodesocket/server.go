package nodesocket

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/heraldlb/herald/announcer"
)

// maxConnections bounds the connections at a time, probes among them.
const maxConnections = 16

// Sink takes what the agent says, from one goroutine at a time. Its methods do
// not block.
type Sink interface {
	// Put begins, or changes, a candidacy.
	Put(announcer.Candidacy)
	// Delete says that no Service holds an address any more.
	Delete(netip.Addr)
	// Replace makes the candidacies exactly these.
	Replace([]announcer.Candidacy)
	// Facts says what is known beyond single addresses. It comes before the
	// first Replace of an agent that knows any.
	Facts(announcer.Facts)
}

// Backend is what stands behind a Server.
type Backend struct {
	Sink Sink
	// Gone is called when an agent is gone, before the next one says a word; nil: nobody asks.
	Gone func()
	// Samples is asked at every beat while an agent is connected, for finite
	// values; nil: none.
	Samples func() []announcer.Sample
	// View is asked at every beat while an agent is connected, and after
	// Server.ViewChanged; nil: there is none.
	View func() announcer.View
	// Health is asked by probes; an error is the complaint, nil Health is healthy.
	Health func() error
}

// Server is the announcer's end. It serves one agent at a time: the newest.
type Server struct {
	path     string
	log      *slog.Logger
	timing   timing
	statuses *outbox[announcer.Status]

	// viewChanged: the agent was not told of the newest view.
	viewChanged atomic.Bool

	mu sync.Mutex
	// current is the connection of the newest agent, nil if there was none.
	current *turn
}

// turn is one agent's time with the backend.
type turn struct {
	end  context.CancelFunc
	done chan struct{}
}

// NewServer returns a server that listens on the Unix socket at path when run.
func NewServer(path string, log *slog.Logger) *Server {
	return &Server{
		path:     path,
		log:      log,
		timing:   defaultTiming(),
		statuses: newOutbox(statusBytes, func(s announcer.Status) bool { return s.State == announcer.Withdrawn }),
	}
}

// Report tells the agent, now or when there is one, the state of an address.
// It never blocks; of several states of one address the last is told.
func (s *Server) Report(status announcer.Status) {
	if len(status.Interfaces) > maxInterfaces {
		status.Interfaces = status.Interfaces[:maxInterfaces]
	}
	if !s.statuses.set(status.Address, status) {
		s.log.Error("too many addresses to report", "address", status.Address, "limit", MaxAddresses)
	}
}

// ViewChanged has the agent told the view before the next beat. It never blocks.
func (s *Server) ViewChanged() {
	s.viewChanged.Store(true)
	s.statuses.signal()
}

// Run serves until ctx ends, then returns nil; the socket is removed. It
// returns an error if it cannot listen, or no longer listens. The backend is told nothing when an
// agent goes: it carries on with what it was last told.
func (s *Server) Run(ctx context.Context, backend Backend) error {
	listener, err := listen(ctx, s.path)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = listener.Close() })()
	defer func() { _ = listener.Close() }()
	return s.accept(ctx, listener, backend)
}

// accept serves who comes until ctx ends or the listener is closed.
func (s *Server) accept(ctx context.Context, listener net.Listener, backend Backend) error {
	serving, cancel := context.WithCancel(ctx)
	var connections errgroup.Group
	connections.SetLimit(maxConnections)
	defer func() { cancel(); _ = connections.Wait() }()
	for {
		conn, err := listener.Accept()
		switch {
		case err != nil && ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("accept on %s: %w", s.path, err)
		case err != nil:
			// EMFILE for one passes, and is no reason to answer for nothing.
			s.log.Error("connection not accepted", "error", err, "retry", s.timing.accept)
			select {
			case <-ctx.Done():
			case <-time.After(s.timing.accept):
			}
			continue
		}
		accepted := connections.TryGo(func() error {
			s.serve(serving, conn, backend)
			return nil
		})
		if !accepted {
			s.log.Warn("connection refused: too many", "limit", maxConnections)
			_ = conn.Close()
		}
	}
}

// serve sees one connection to its end.
func (s *Server) serve(ctx context.Context, conn net.Conn, backend Backend) {
	l := newLink(conn, s.timing)
	defer l.close()
	defer context.AfterFunc(ctx, l.close)()
	peer, err := l.welcome()
	switch {
	case err != nil:
		s.log.Warn("connection refused", "error", err)
	case peer == roleProbe:
		s.answerProbe(l, backend)
	default:
		s.serveAgent(ctx, l, backend)
	}
}

func (s *Server) answerProbe(l *link, backend Backend) {
	answer := &message{Kind: kindHealth}
	if backend.Health != nil {
		if err := backend.Health(); err != nil {
			answer.Error = err.Error()
		}
	}
	if err := l.send(answer); err != nil {
		s.log.Warn("probe not answered", "error", err)
	}
}

func (s *Server) serveAgent(ctx context.Context, l *link, backend Backend) {
	ctx, end := context.WithCancel(ctx)
	defer end()
	defer s.takeTurn(end)()
	s.log.Info("agent connected")
	s.statuses.restart()
	desired := &desired{sink: backend.Sink}
	err := l.run(ctx, talk{
		handle:  desired.handle,
		pending: func() []*message { return s.pending(backend) },
		wake:    s.statuses.wake,
		beat:    func() []*message { return append(sampleMessages(backend.Samples), s.view(backend)...) },
	})
	s.log.Info("agent gone, carrying on with what it said last", "reason", err)
	if backend.Gone != nil {
		backend.Gone()
	}
}

// takeTurn ends the turn of the agent before and waits until it is over, so
// that nothing of an old agent is carried out after a word of the new one. It
// returns what ends this turn.
func (s *Server) takeTurn(end context.CancelFunc) (over func()) {
	mine := &turn{end: end, done: make(chan struct{})}
	s.mu.Lock()
	before := s.current
	s.current = mine
	s.mu.Unlock()
	if before != nil {
		before.end()
		<-before.done
	}
	return func() { close(mine.done) }
}

func (s *Server) pending(backend Backend) []*message {
	var messages []*message
	if s.viewChanged.Load() {
		messages = s.view(backend)
	}
	if statuses, _ := s.statuses.take(); len(statuses) > 0 {
		messages = append(messages, &message{Kind: kindStatus, Statuses: statuses})
	}
	return messages
}

func (s *Server) view(backend Backend) []*message {
	s.viewChanged.Store(false)
	if backend.View == nil {
		return nil
	}
	return viewMessages(backend.View())
}
