package main

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/spf13/pflag"

	"github.com/heraldlb/herald/controlplane"
	"github.com/heraldlb/herald/election/raft"
)

// etcdCertificates is where kubeadm keeps those of etcd's members, by which the nodes of
// a control plane know each other already.
const etcdCertificates = "/etc/kubernetes/pki/etcd/"

type raftFlags struct {
	raft.Options
	peers []string
}

func (f *raftFlags) register(set *pflag.FlagSet) {
	set.StringVar(&f.Listen, "raft-address", "", "HOST:PORT to listen on for the other nodes (default: the port of this node in --raft-peers, on all addresses)")
	set.StringSliceVar(&f.peers, "raft-peers", nil, fmt.Sprintf("the nodes that vote, this one among them, NAME=HOST or NAME=HOST:PORT (default port %d); repeatable. A leader takes in those that are new, and puts out those that are missing", raft.DefaultPort))
	set.BoolVar(&f.Existing, "raft-join", false, "the others have begun: wait to be taken in. Else a node without state begins a cluster of --raft-peers, which have to be the same for all that begin it")
	set.StringVar(&f.Directory, "raft-dir", "", "directory that keeps the state; else it is in memory")
	set.StringVar(&f.Credentials.CA, "raft-ca", etcdCertificates+"ca.crt", "file of the certificate authority of the nodes")
	set.StringVar(&f.Credentials.Certificate, "raft-cert", etcdCertificates+"peer.crt", "file of this node's certificate, as server and as client, for its name or its host in --raft-peers")
	set.StringVar(&f.Credentials.Key, "raft-key", etcdCertificates+"peer.key", "file of its key")
	set.DurationVar(&f.Heartbeat, "raft-heartbeat", raft.DefaultHeartbeat, "after how long without a leader a node stands for election; the same on all nodes")
}

func (f *raftFlags) newElector(node string, log *slog.Logger) (controlplane.Elector, error) {
	if len(f.peers) == 0 {
		return nil, errors.New("--elector raft needs --raft-peers: the nodes that vote")
	}
	peers, err := raft.ParsePeers(f.peers)
	if err != nil {
		return nil, fmt.Errorf("--raft-peers: %w", err)
	}
	f.Node, f.Peers = node, peers
	elector, err := raft.New(f.Options, log)
	if err != nil {
		return nil, fmt.Errorf("--raft-*: %w", err)
	}
	return elector, nil
}
