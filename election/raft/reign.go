package raft

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/controlplane"
)

// reign is what a node does of its leadership: it fills the seat, as long as a majority is
// pledged to it, and passes on what it may not use.
type reign struct {
	*Elector
	raft     *raft.Raft
	exchange *exchange
	seat     controlplane.Seat

	ready, leading bool
	// until is when the term ends that the seat was told of last.
	until       announcer.BootTime
	reconciling sync.WaitGroup
	// busy: it is being seen to who has a vote; settled: that is as the options say.
	// withheld is the node that was last said to get none yet.
	busy, settled atomic.Bool
	withheld      string
	// leader is who led when that was looked at last.
	leader raft.ServerID
	// heir is the peer that leadership was passed on to last.
	heir int
}

// run fills the seat while this node leads and is ready, until ctx ends.
func (r *reign) run(ctx context.Context, ready <-chan bool) error {
	again, watch := time.NewTicker(passOn), time.NewTimer(r.options.Heartbeat)
	defer again.Stop()
	defer watch.Stop()
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
			r.ask()
		case leading := <-r.raft.LeaderCh():
			r.lead(leading)
			watch.Reset(r.watch())
		case <-r.exchange.changed:
		case <-watch.C:
			watch.Reset(r.watch())
		case <-again.C:
			r.settle()
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
		r.release()
		return
	}
	r.log.Info("elected leader by a quorum", "term", r.raft.CurrentTerm())
	r.ask()
	r.settled.Store(false)
	r.settle()
}

// settle sees, beside all else, to who has a vote, until that is as the options say.
func (r *reign) settle() {
	if !r.leading || r.settled.Load() || !r.busy.CompareAndSwap(false, true) {
		return
	}
	r.reconciling.Go(func() {
		defer r.busy.Store(false)
		if r.reconcile() {
			r.settled.Store(true)
		}
	})
}

func (r *reign) release() {
	r.until = 0
	r.seat.Release()
}

// ask asks the others for their pledges, at once, if this node leads and may use them.
func (r *reign) ask() {
	if r.leading && r.ready {
		r.exchange.with(func(_ announcer.BootTime, p *pledges) { p.want() })
		r.raft.VerifyLeader() // sends heartbeats
	}
}

// extend has the VIP held for as long as a majority is pledged.
func (r *reign) extend() {
	voters := r.voters()
	r.exchange.with(func(now announcer.BootTime, p *pledges) {
		until, ok := p.term(now, voters)
		if !ok || until.Sub(r.until) < r.options.Heartbeat/10 {
			return // each word about the same is one too many
		}
		r.until = until
		r.seat.Hold(controlplane.Term{Until: until, Probe: true})
	})
}

// voters returns who has a vote, as far as this node knows.
func (r *reign) voters() (all []raft.ServerID) {
	future := r.raft.GetConfiguration()
	if future.Error() != nil {
		return nil
	}
	for _, s := range future.Configuration().Servers {
		if s.Suffrage == raft.Voter {
			all = append(all, s.ID)
		}
	}
	return all
}

// watch has raft look whether it still has a leader as soon as that was silent for a
// heartbeat's time, and returns when to come again. Left alone, raft looks once in one
// to two of these times, and who has not looked gives nobody its vote.
func (r *reign) watch() time.Duration {
	contact := r.raft.LastContact()
	_, leader := r.raft.LeaderWithID()
	if leader != "" && leader != r.leader && leader != raft.ServerID(r.options.Node) {
		r.log.Info("follows another node", "leader", leader)
	}
	r.leader = leader
	if r.leading {
		// Where there is no other that could be pledged, nothing else extends the term.
		return usable(r.options.Heartbeat) / 4
	}
	if contact.IsZero() || r.raft.State() != raft.Follower {
		return r.options.Heartbeat
	}
	if left := r.options.Heartbeat - time.Since(contact); left > 0 {
		return left
	}
	// It looks when it is told to have less patience.
	config := r.raft.ReloadableConfig()
	for _, config.HeartbeatTimeout = range []time.Duration{r.options.Heartbeat - hurry, r.options.Heartbeat} {
		if err := r.raft.ReloadConfig(config); err != nil {
			r.log.Warn("raft does not look for its leader yet", "error", err)
		}
	}
	return r.options.Heartbeat
}

// hurry is a difference in patience that is felt nowhere.
const hurry = time.Microsecond

// abdicate has the VIP given up, then another elected.
func (r *reign) abdicate(ctx context.Context) {
	r.release()
	if !r.leading {
		return
	}
	waiting, stop := context.WithTimeout(ctx, 2*r.options.Heartbeat)
	defer stop()
	if err := r.seat.Vacant(waiting); err != nil {
		r.log.Warn("leadership is passed on late: the VIP is not off yet", "error", err)
		return
	}
	if !r.free(waiting) {
		r.log.Info("leadership not passed on: no quorum heard that the VIP is off")
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

// free tells the others that this node does not hold the VIP, and returns whether a
// quorum heard it: the next one need not wait until their pledges end.
func (r *reign) free(ctx context.Context) (heard bool) {
	r.exchange.with(func(_ announcer.BootTime, p *pledges) { p.vacate() })
	r.raft.VerifyLeader() // sends heartbeats
	voters := r.voters()
	for {
		r.exchange.with(func(_ announcer.BootTime, p *pledges) { heard = p.isFree(voters) })
		if heard {
			return true
		}
		select {
		case <-r.exchange.changed:
		case <-ctx.Done():
			return false
		}
	}
}

// reconcile makes the voters those of the options, one after the other, as leader, and
// returns whether they are. A node gets a vote when it answers: a vote of one that does
// not may be what a quorum lacks from then on, and with the quorum the VIP is gone.
func (r *reign) reconcile() (done bool) {
	future := r.raft.GetConfiguration()
	if err := future.Error(); err != nil {
		r.log.Warn("cannot look who has a vote", "error", err)
		return false
	}
	servers := future.Configuration().Servers
	for _, p := range r.options.Peers {
		want := raft.Server{ID: raft.ServerID(p.Node), Address: raft.ServerAddress(p.Address)}
		if slices.Contains(servers, want) {
			continue
		}
		if err := r.exchange.reach(r.self, p); err != nil {
			if r.withheld != p.Node {
				r.withheld = p.Node
				r.log.Warn("a node gets no vote before it answers", "peer", p.Node, "address", p.Address, "error", err)
			}
			return false
		}
		r.withheld = ""
		if err := r.raft.AddVoter(want.ID, want.Address, 0, changeTime).Error(); err != nil {
			r.log.Warn("a node got no vote", "peer", p.Node, "error", err)
			return false
		}
		r.log.Info("a node has a vote", "peer", p.Node, "address", p.Address)
	}
	for _, s := range servers {
		if slices.ContainsFunc(r.options.Peers, func(p Peer) bool { return raft.ServerID(p.Node) == s.ID }) {
			continue
		}
		if err := r.raft.RemoveServer(s.ID, 0, changeTime).Error(); err != nil {
			r.log.Warn("a node kept its vote", "peer", s.ID, "error", err)
			return false
		}
		r.log.Info("a node has no vote any more", "peer", s.ID)
	}
	return true
}

// changeTime is how long a change of the voters may take to begin.
const changeTime = 5 * time.Second
