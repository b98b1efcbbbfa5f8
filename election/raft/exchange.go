package raft

import (
	"context"
	"errors"
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
	// fares are how it goes with the others, by what was logged last.
	fares map[raft.ServerID]fare
}

// fare is how it goes with another node: why it does not answer, "" if it does.
type fare struct {
	why string
	at  time.Time
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
		fares:    make(map[raft.ServerID]fare),
	}
}

// tellAgain is for how long no more is logged of a node whose answers come and go.
const tellAgain = 10 * time.Second

// note logs if another node does not answer, or answers again: raft itself says nothing,
// or too much. It returns the error.
func (e *exchange) note(id raft.ServerID, target raft.ServerAddress, err error) error {
	if errors.Is(err, raft.ErrTransportShutdown) || errors.Is(err, context.Canceled) {
		return err
	}
	why := ""
	for cause := err; cause != nil; cause = errors.Unwrap(cause) {
		why = cause.Error() // what wraps it names ports that are others each time
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	last := e.fares[id]
	if why == last.why || time.Since(last.at) < tellAgain && why != "" {
		return err
	}
	e.fares[id] = fare{why, time.Now()}
	if err == nil {
		e.log.Info("a node of raft answers again", "peer", id, "address", target)
	} else {
		e.log.Warn("a node of raft does not answer", "peer", id, "address", target, "error", err)
	}
	return err
}

// reach returns nil if a node answers that may not yet be one of the cluster. It is asked
// what no node answers with yes, whatever it knows.
func (e *exchange) reach(from, to Peer) error {
	id, address := raft.ServerID(to.Node), raft.ServerAddress(to.Address)
	question := &raft.RequestPreVoteRequest{RPCHeader: raft.RPCHeader{
		ProtocolVersion: raft.ProtocolVersionMax, ID: []byte(from.Node), Addr: []byte(from.Address),
	}}
	return e.note(id, address, e.NetworkTransport.RequestPreVote(id, address, question, new(raft.RequestPreVoteResponse)))
}

// RequestVote implements raft.Transport.
func (e *exchange) RequestVote(id raft.ServerID, target raft.ServerAddress, args *raft.RequestVoteRequest, resp *raft.RequestVoteResponse) error {
	return e.note(id, target, e.NetworkTransport.RequestVote(id, target, args, resp))
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
	if err := e.note(id, target, e.NetworkTransport.AppendEntries(id, target, &asking, resp)); err != nil {
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
		err := e.note(id, target, e.NetworkTransport.RequestPreVote(id, target, args, resp))
		if err != nil || resp.Term > args.Term {
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
