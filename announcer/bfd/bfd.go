// Package bfd watches the paths to routers by Bidirectional Forwarding Detection (RFC
// 5880), over a single hop (RFC 5881) and over several (RFC 5883), in asynchronous mode,
// without Echo packets and without authentication. It is a part of the announcer, so that
// the end of an agent is not taken for that of its node.
//
// What a session does is decided by one that is pure (session.go, timing.go). A thread of
// its own sends and judges (thread.go), as that of the heartbeats does; a goroutine, the
// desk (desk.go), has the sockets, and tells the rest of the process.
package bfd

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/internal/realtime"
)

// Sessions are the BFD sessions of this node.
type Sessions struct {
	log    *slog.Logger
	begin  time.Time
	counts counters
	host   host
	thread *thread
	// leaving: all sessions are given up, and none is begun.
	leaving atomic.Bool

	mu      sync.Mutex
	running bool
	// wanted are the peers that were told, changed that they are news to the desk.
	wanted  []announcer.BFDPeer
	changed bool
	// entries are the desk's, one for each peer, in their order.
	entries []*entry
}

// New returns Sessions that do nothing until they are run.
func New(log *slog.Logger) *Sessions {
	s := &Sessions{log: log, begin: time.Now(), host: kernel{}}
	s.thread = newThread(s.begin, &s.counts)
	return s
}

// SetPeers makes the sessions exactly those with these peers. A session goes on if no
// more than its interval and multiplier are others. It never blocks.
func (s *Sessions) SetPeers(peers []announcer.BFDPeer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Equal(s.wanted, peers) {
		return
	}
	s.wanted, s.changed = slices.Clone(peers), true
	s.wakeDesk()
}

// Leave gives all sessions up: the routers are told that they are down on purpose (RFC
// 5882 section 4.2). It returns when they know, would have found out, or ctx ends.
func (s *Sessions) Leave(ctx context.Context) {
	s.leaving.Store(true)
	s.mu.Lock()
	running := s.running
	s.wakeDesk()
	s.mu.Unlock()
	if !running {
		return
	}
	select {
	case <-s.thread.parted:
	case <-ctx.Done():
	}
}

// wakeDesk is called with s.mu held: the eventfds are open while s is running.
func (s *Sessions) wakeDesk() {
	if s.running {
		realtime.Signal(s.thread.told)
	}
}

func (s *Sessions) wakeDeskLocked() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wakeDesk()
}

// Run has the sessions until ctx ends, then returns nil. It gives up none of them by
// itself; see Leave. Changed is called when Statuses are others than before; it does not
// block. Run can be called once.
func (s *Sessions) Run(ctx context.Context, changed func()) (err error) {
	d := &desk{Sessions: s, tell: changed, ports: make(map[portKey]*port)}
	if err := d.open(); err != nil {
		return err
	}
	s.mu.Lock()
	s.running = true
	s.mu.Unlock()
	defer func() { err = errors.Join(err, d.close()) }()
	defer context.AfterFunc(ctx, s.wakeDeskLocked)()
	return d.run(ctx)
}
