package raft

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/controlplane"
)

// reign is what a node does of its leadership: it fills the seat, as long as a quorum
// follows it, and passes on what it may not use.
type reign struct {
	*Elector
	raft *raft.Raft
	seat controlplane.Seat

	ready, leading bool
	reconciling    sync.WaitGroup
	// heir is the peer that leadership was passed on to last.
	heir int
}

// run fills the seat while this node leads and is ready, until ctx ends.
func (r *reign) run(ctx context.Context, ready <-chan bool) error {
	// A quorum is asked this often if it still follows.
	ticker := time.NewTicker(r.options.Heartbeat / 6)
	defer ticker.Stop()
	var passed time.Time
	for {
		select {
		case <-ctx.Done():
			r.abdicate(context.WithoutCancel(ctx))
			return nil
		case r.ready = <-ready:
			if !r.ready {
				r.abdicate(ctx)
				passed = time.Now()
			}
		case leading := <-r.raft.LeaderCh():
			r.lead(leading)
		case <-ticker.C:
		}
		switch {
		case !r.leading:
		case r.ready:
			r.extend()
		case time.Since(passed) > passOn:
			passed = time.Now()
			r.abdicate(ctx)
		}
	}
}

// passOn is how long a leader that is not ready waits until it tries again to have
// another elected: none may be ready, and none is to be busy with that.
const passOn = time.Second

// lead says if this node leads.
func (r *reign) lead(leading bool) {
	r.leading = leading
	if !leading {
		r.log.Info("not the leader, or no longer")
		r.seat.Release()
		return
	}
	r.log.Info("elected leader by a quorum", "term", r.raft.CurrentTerm())
	r.reconciling.Go(r.reconcile)
}

// extend has the VIP held for as long as nobody else can be elected, if a quorum still
// follows: of any other quorum, one node answered after the question was put, and it
// neither votes for another, nor stands itself, for a heartbeat timeout from then
// (hashicorp/raft rejects votes while it has a leader, and has one for that long). The
// leader asked is one of the quorum. A node that starts says nothing for longer than
// that. A fifth is left for clocks that differ, and for who has to take the VIP off.
func (r *reign) extend() {
	asked, err := announcer.Now()
	if err == nil {
		err = r.raft.VerifyLeader().Error()
	}
	if err != nil {
		r.log.Warn("no quorum follows any more: the VIP is given up", "error", err)
		r.seat.Release()
		return
	}
	r.seat.Hold(controlplane.Term{Until: asked.Add(r.options.Heartbeat * 4 / 5), Probe: true})
}

// abdicate has the VIP given up, then another elected.
func (r *reign) abdicate(ctx context.Context) {
	r.seat.Release()
	if !r.leading {
		return
	}
	waiting, stop := context.WithTimeout(ctx, 2*r.options.Heartbeat)
	defer stop()
	if err := r.seat.Vacant(waiting); err != nil {
		r.log.Warn("leadership is passed on late: the VIP is not off yet", "error", err)
		return
	}
	// In turn, for who comes next need not be ready either.
	for range r.options.Peers {
		r.heir = (r.heir + 1) % len(r.options.Peers)
		heir := r.options.Peers[r.heir]
		if heir == r.self {
			continue
		}
		err := r.raft.LeadershipTransferToServer(raft.ServerID(heir.Node), raft.ServerAddress(heir.Address)).Error()
		if err == nil {
			r.log.Info("leadership passed on", "to", heir.Node)
			return
		}
		r.log.Info("leadership not passed on", "to", heir.Node, "error", err)
	}
}

// reconcile makes the voters those of the options, one after the other, as leader.
func (r *reign) reconcile() {
	future := r.raft.GetConfiguration()
	if err := future.Error(); err != nil {
		r.log.Warn("cannot look who has a vote", "error", err)
		return
	}
	servers := future.Configuration().Servers
	for _, p := range r.options.Peers {
		want := raft.Server{ID: raft.ServerID(p.Node), Address: raft.ServerAddress(p.Address)}
		if slices.Contains(servers, want) {
			continue
		}
		if err := r.raft.AddVoter(want.ID, want.Address, 0, changeTime).Error(); err != nil {
			r.log.Warn("a node got no vote", "peer", p.Node, "error", err)
			return
		}
		r.log.Info("a node has a vote", "peer", p.Node, "address", p.Address)
	}
	for _, s := range servers {
		if slices.ContainsFunc(r.options.Peers, func(p Peer) bool { return raft.ServerID(p.Node) == s.ID }) {
			continue
		}
		if err := r.raft.RemoveServer(s.ID, 0, changeTime).Error(); err != nil {
			r.log.Warn("a node kept its vote", "peer", s.ID, "error", err)
			return
		}
		r.log.Info("a node has no vote any more", "peer", s.ID)
	}
}

// changeTime is how long a change of the voters may take to begin.
const changeTime = 5 * time.Second
