package raft

import (
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/heraldlb/herald/announcer"
)

// exchange is raft's transport, on which pledges ride: questions in heartbeats, and in
// their answers whether they are granted. They are in fields that this raft sends and
// does not read: the deprecated leader of a request, the address in the header of an
// answer.
type exchange struct {
	*raft.NetworkTransport
	log *slog.Logger
	// courtesy is how long this node lets others go first that stand for election at
	// the same moment: who votes for itself at once with another has half the votes.
	courtesy time.Duration
	// changed holds a token when others may have pledged themselves, or heard that
	// this node is free.
	changed chan struct{}

	mu      sync.Mutex
	pledges *pledges
}

var (
	_ raft.Transport   = (*exchange)(nil)
	_ raft.WithPreVote = (*exchange)(nil)
	_ raft.WithClose   = (*exchange)(nil)
)

func newExchange(transport *raft.NetworkTransport, o Options, log *slog.Logger) *exchange {
	run := rand.Uint64N(1<<63) + 1
	before := 0
	for _, p := range o.Peers {
		if p.Node < o.Node {
			before++
		}
	}
	return &exchange{
		NetworkTransport: transport, log: log, changed: make(chan struct{}, 1),
		courtesy: time.Duration(before) * o.Heartbeat / 30,
		pledges:  newPledges(raft.ServerID(o.Node), o.Heartbeat, run),
	}
}

// now reads the clock; ok is false if it cannot be read, then nothing is pledged.
func (e *exchange) now() (at announcer.BootTime, ok bool) {
	at, err := announcer.Now()
	if err != nil {
		e.log.Error("no clock: nothing is pledged", "error", err)
	}
	return at, err == nil
}

// with has something done with the pledges, at a time that is read while nothing else is.
func (e *exchange) with(do func(now announcer.BootTime, p *pledges)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if now, ok := e.now(); ok {
		do(now, e.pledges)
	}
}

// AppendEntries implements raft.Transport.
func (e *exchange) AppendEntries(id raft.ServerID, target raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	var q question
	asking := *args
	e.with(func(now announcer.BootTime, p *pledges) {
		q = p.ask(now)
		asking.Leader = q.encode() //nolint:staticcheck // it is deprecated, and so free
	})
	*resp = raft.AppendEntriesResponse{} // What is not in the answer is not to be left from another.
	if err := e.NetworkTransport.AppendEntries(id, target, &asking, resp); err != nil {
		return err
	}
	// Only heartbeats are answered so; what else raft sends has the header of its own.
	length, ok := decodeLength(resp.Addr)
	if q.run == 0 || !ok {
		return nil
	}
	e.with(func(_ announcer.BootTime, p *pledges) { p.take(id, q, length) })
	select {
	case e.changed <- struct{}{}:
	default:
	}
	return nil
}

// RequestPreVote implements raft.WithPreVote: it asks whether another would give its vote,
// and once more for a while, since that one may be about to look whether it still has a
// leader: raft itself would not ask again before its next election.
func (e *exchange) RequestPreVote(id raft.ServerID, target raft.ServerAddress, args *raft.RequestPreVoteRequest, resp *raft.RequestPreVoteResponse) error {
	for range lookings {
		*resp = raft.RequestPreVoteResponse{}
		if err := e.NetworkTransport.RequestPreVote(id, target, args, resp); err != nil || resp.Term > args.Term {
			return err
		}
		if resp.Granted {
			<-time.After(e.courtesy)
			return nil
		}
		<-time.After(e.pledges.length / 30)
	}
	return nil
}

// lookings is how often another is asked for its vote in one election.
const lookings = 10

// SetHeartbeatHandler implements raft.Transport.
func (e *exchange) SetHeartbeatHandler(handle func(raft.RPC)) {
	e.NetworkTransport.SetHeartbeatHandler(func(rpc raft.RPC) {
		answers := make(chan raft.RPCResponse, 1)
		inner := rpc
		inner.RespChan = answers
		handle(inner)
		select {
		case answer := <-answers:
			e.answer(rpc.Command, answer.Response)
			rpc.RespChan <- answer
		default: // raft ended
		}
	})
}

// answer adds to raft's answer to a heartbeat whether this node pledges itself.
func (e *exchange) answer(command, response any) {
	request, isRequest := command.(*raft.AppendEntriesRequest)
	answer, isAnswer := response.(*raft.AppendEntriesResponse)
	if !isRequest || !isAnswer {
		return
	}
	answer.Addr = nil
	q, ok := decodeQuestion(request.Leader) //nolint:staticcheck // see above
	// Whom raft does not follow may take back, and gets nothing.
	if !ok || !answer.Success && !q.free {
		return
	}
	e.with(func(now announcer.BootTime, p *pledges) {
		answer.Addr = encodeLength(p.answer(now, raft.ServerID(request.ID), q))
	})
}
