package raft

import (
	"fmt"
	"net"
	"strings"
	"time"
)

// ParsePeers reads NAME=HOST[:PORT], as --raft-peers has them.
func ParsePeers(texts []string) (all []Peer, err error) {
	for _, text := range texts {
		name, address, found := strings.Cut(text, "=")
		if _, _, bare := net.SplitHostPort(address); bare != nil {
			address = net.JoinHostPort(strings.Trim(address, "[]"), fmt.Sprint(DefaultPort))
		}
		host, _, err := net.SplitHostPort(address)
		if !found || name == "" || host == "" || err != nil {
			return nil, fmt.Errorf("%w: peer %q: NAME=HOST or NAME=HOST:PORT", ErrInvalid, text)
		}
		all = append(all, Peer{Node: name, Address: address})
	}
	return all, nil
}

// check returns an error that wraps ErrInvalid unless a node can go by o.
func (o *Options) check() error {
	names, addresses := make(map[string]bool), make(map[string]bool)
	for _, p := range o.Peers {
		if names[p.Node] || addresses[p.Address] {
			return fmt.Errorf("%w: peer %s=%s is there twice", ErrInvalid, p.Node, p.Address)
		}
		names[p.Node], addresses[p.Address] = true, true
	}
	switch {
	case !names[o.Node]:
		return fmt.Errorf("%w: this node, %q, is not among the peers", ErrInvalid, o.Node)
	case o.Heartbeat < 20*time.Millisecond:
		return fmt.Errorf("%w: a heartbeat of %s: at least 20ms", ErrInvalid, o.Heartbeat)
	}
	return nil
}
