// Package raft elects the holder of the control plane's VIP by a quorum of its nodes
// (Ongaro's Raft, as hashicorp/raft has it): the leader asks for it. Two never hold it at
// once: a majority has to pledge itself to the holder, for a time, and a node pledges
// itself to one at a time.
package raft

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"

	"github.com/heraldlb/herald/controlplane"
)

// DefaultPort is the TCP port that nodes talk to each other on.
const DefaultPort = 9647

// Peer is a node that has a vote.
type Peer struct {
	// Node is its name, which its certificate is for.
	Node string
	// Address is HOST:PORT, as the other nodes reach it.
	Address string
}

// Options say who has a vote, and how they talk.
type Options struct {
	// Node is this node's name, one of Peers.
	Node string
	// Listen is HOST:PORT to listen on; "" is that of this node's address, on all hosts.
	Listen string
	// Peers are all nodes with a vote, this one among them. A leader takes in those
	// that are new to it, and puts out those that are not there, one after the other.
	Peers []Peer
	// Existing: the cluster exists, this node waits to be taken in. Else a node
	// without state begins a cluster of Peers, which have to be the same for all
	// that begin it.
	Existing bool
	// Directory keeps the state; "" keeps it in memory: then a node that was
	// restarted learns it from the others.
	Directory string
	// Credentials authenticate the nodes to each other.
	Credentials Credentials
	// Heartbeat is after how long without a leader a node stands for election, and for
	// how long it pledges itself; 0 is DefaultHeartbeat. While it is changed it may
	// differ between nodes, but a node that was restarted may not have less than a
	// third of what it had.
	Heartbeat time.Duration
}

// DefaultHeartbeat is for Options.Heartbeat. Some milliseconds after it, the others
// elect one in place of a leader that died.
const DefaultHeartbeat = 300 * time.Millisecond

// ErrInvalid is wrapped by errors about Options.
var ErrInvalid = errors.New("invalid")

// Elector is a controlplane.Elector.
type Elector struct {
	options Options
	self    Peer
	log     *slog.Logger
}

var _ controlplane.Elector = (*Elector)(nil)

// New returns an Elector that takes part when run. The error wraps ErrInvalid, or is of
// a certificate that cannot be read.
func New(o Options, log *slog.Logger) (*Elector, error) {
	if o.Heartbeat == 0 {
		o.Heartbeat = DefaultHeartbeat
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	if _, err := o.Credentials.config(o.Peers); err != nil {
		return nil, err
	}
	self := o.Peers[slices.IndexFunc(o.Peers, func(p Peer) bool { return p.Node == o.Node })]
	return &Elector{options: o, self: self, log: log}, nil
}

// Run implements controlplane.Elector.
func (e *Elector) Run(ctx context.Context, ready <-chan bool, seat controlplane.Seat) (err error) {
	// Whoever starts may have pledged itself, or voted, and does not know any more. Until
	// what it said is over, it says nothing: a pledge, and the longest that a candidate
	// waits for votes in one election.
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(3 * e.options.Heartbeat):
	}
	node, pledged, closeAll, err := e.join(ctx)
	if err != nil {
		return err
	}
	reign := &reign{Elector: e, raft: node, exchange: pledged, seat: seat}
	defer func() {
		err = errors.Join(err, closeAll())
		reign.reconciling.Wait()
	}()
	return reign.run(ctx, ready)
}

// join starts the node.
func (e *Elector) join(ctx context.Context) (node *raft.Raft, pledged *exchange, closeAll func() error, err error) {
	var closers []func() error
	closing := func() (err error) {
		for _, closer := range slices.Backward(closers) {
			err = errors.Join(err, closer())
		}
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, closing())
		}
	}()
	stream, err := e.listen(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	log := newLogger(e.log)
	transport := newExchange(raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
		Stream: stream, MaxPool: 3, Timeout: e.options.Heartbeat, Logger: log, MaxRPCsInFlight: 1,
	}), e.options, e.log)
	closers = append(closers, transport.Close)
	var logs raft.LogStore
	var stable raft.StableStore
	memory := raft.NewInmemStore()
	logs, stable = memory, memory
	// Each has nothing in it but who has a vote: all that is known of that when the log no
	// longer begins at its beginning.
	var snapshots raft.SnapshotStore = raft.NewInmemSnapshotStore()
	if e.options.Directory != "" {
		if err := os.MkdirAll(e.options.Directory, 0o700); err != nil {
			return nil, nil, nil, fmt.Errorf("state of raft: %w", err)
		}
		store, err := wal.Open(e.options.Directory, wal.WithSegmentSize(segmentSize))
		if err != nil {
			return nil, nil, nil, fmt.Errorf("state of raft in %s: %w", e.options.Directory, err)
		}
		closers = append(closers, store.Close)
		logs, stable = store, store
		if snapshots, err = raft.NewFileSnapshotStoreWithLogger(e.options.Directory, 1, log); err != nil {
			return nil, nil, nil, fmt.Errorf("state of raft in %s: %w", e.options.Directory, err)
		}
	}
	config := raft.DefaultConfig()
	config.LocalID = raft.ServerID(e.options.Node)
	config.HeartbeatTimeout = e.options.Heartbeat
	config.ElectionTimeout = e.options.Heartbeat
	config.LeaderLeaseTimeout = e.options.Heartbeat - 2*hurry
	config.CommitTimeout = e.options.Heartbeat / 6
	config.Logger = log
	if err := e.begin(config, logs, stable, snapshots, transport); err != nil {
		return nil, nil, nil, err
	}
	node, err = raft.NewRaft(config, nothing{}, logs, stable, snapshots, transport)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("raft: %w", err)
	}
	closers = append(closers, func() error { return node.Shutdown().Error() })
	return node, transport, closing, nil
}

// begin makes a cluster of the peers, unless there is one.
func (e *Elector) begin(config *raft.Config, logs raft.LogStore, stable raft.StableStore, snapshots raft.SnapshotStore, transport raft.Transport) error {
	known, err := raft.HasExistingState(logs, stable, snapshots)
	if err != nil {
		return fmt.Errorf("state of raft: %w", err)
	}
	if known || e.options.Existing {
		return nil
	}
	var cluster raft.Configuration
	for _, p := range e.options.Peers {
		cluster.Servers = append(cluster.Servers, raft.Server{ID: raft.ServerID(p.Node), Address: raft.ServerAddress(p.Address)})
	}
	if err := raft.BootstrapCluster(config, logs, stable, snapshots, transport, cluster); err != nil {
		return fmt.Errorf("begin a cluster of %v: %w", e.options.Peers, err)
	}
	return nil
}

// nothing is what is agreed on beside the leader.
type nothing struct{}

var _ raft.FSM = nothing{}

func (nothing) Apply(*raft.Log) any { return nil }

func (nothing) Snapshot() (raft.FSMSnapshot, error) { return nothing{}, nil }

func (nothing) Restore(snapshot io.ReadCloser) error { return snapshot.Close() }

func (nothing) Persist(sink raft.SnapshotSink) error { return sink.Close() }

func (nothing) Release() {}

// segmentSize is what a file of the log takes, in bytes: there is an entry for each
// election, and for each change of the voters.
const segmentSize = 1 << 20
