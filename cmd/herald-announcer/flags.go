package main

import (
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/heraldlb/herald/membership"
	"github.com/heraldlb/herald/membership/wire"
)

type flags struct {
	socket   string
	logLevel string
	probe    bool

	node    string
	cluster string

	interval   string
	multiplier int
	port       uint16
	keys       string
	mode       string
	peers      []string

	controlPlane controlPlaneFlags
}

func (f *flags) register(set *pflag.FlagSet) {
	set.StringVar(&f.socket, "socket", "/run/herald/announcer.sock", "Unix socket to listen on for the agent, or with --controlplane for herald controlplane (default then "+controlPlaneSocket+")")
	set.StringVar(&f.logLevel, "log-level", "info", "debug, info, warn or error")
	set.BoolVar(&f.probe, "probe", false, "ask the announcer at --socket for its health, and exit 0 or 1")
	set.StringVar(&f.node, "node-name", os.Getenv("NODE_NAME"), "name of this node; $NODE_NAME, else the host's name")
	set.StringVar(&f.cluster, "cluster", "", "tells this cluster from others on the same segment; else as the agent says, or with --controlplane by the VIPs")
	set.StringVar(&f.interval, "heartbeat-interval", "auto", "time between two heartbeats; auto: 25ms, and longer in a large cluster")
	set.IntVar(&f.multiplier, "heartbeat-multiplier", membership.DefaultMultiplier, "intervals of silence after which this node counts as dead")
	set.Uint16Var(&f.port, "heartbeat-port", wire.Port, "UDP port of heartbeats, the same on all nodes (default with --controlplane "+fmt.Sprint(controlPlanePort)+")")
	set.StringVar(&f.keys, "heartbeat-key-dir", "", "directory of the keys that authenticate heartbeats, as a Secret is mounted; empty: none")
	set.StringVar(&f.mode, "heartbeat", "multicast", "multicast, or unicast on a segment that does not carry that")
	f.controlPlane.register(set)
	set.StringArrayVar(&f.peers, "heartbeat-peer", nil, "address of another node, for unicast, besides those the agent knows; may be repeated")
}

// membership returns the options of the heartbeats, or an error that names a flag.
func (f *flags) membership() (membership.Options, error) {
	o := membership.Options{
		Node: f.node, Cluster: f.cluster, Multiplier: f.multiplier, Port: f.port, KeyDirectory: f.keys,
		Unicast: f.mode == "unicast",
	}
	if f.mode != "unicast" && f.mode != "multicast" {
		return o, fmt.Errorf("--heartbeat %q: multicast or unicast", f.mode)
	}
	if f.port == 0 {
		return o, fmt.Errorf("--heartbeat-port %d: no port", f.port)
	}
	if f.multiplier < wire.MinMultiplier || f.multiplier > wire.MaxMultiplier {
		return o, fmt.Errorf("--heartbeat-multiplier %d: %d to %d", f.multiplier, wire.MinMultiplier, wire.MaxMultiplier)
	}
	if f.interval != "auto" {
		interval, err := time.ParseDuration(f.interval)
		if err != nil || interval < wire.MinInterval || interval > wire.MaxInterval {
			return o, fmt.Errorf("--heartbeat-interval %q: auto, or %s to %s", f.interval, wire.MinInterval, wire.MaxInterval)
		}
		o.Interval = interval
	}
	for _, p := range f.peers {
		peer, err := netip.ParseAddr(p)
		if err != nil || peer.Zone() != "" {
			return o, fmt.Errorf("--heartbeat-peer %q: an IP address", p)
		}
		o.Peers = append(o.Peers, peer.Unmap())
	}
	if o.Node == "" {
		host, err := os.Hostname()
		if err != nil {
			return o, fmt.Errorf("--node-name is not set, and there is no name of the host: %w", err)
		}
		o.Node = strings.ToLower(host) // as the kubelet does
	}
	if err := wire.CheckName(o.Node); err != nil {
		return o, fmt.Errorf("--node-name %q: %w", o.Node, err)
	}
	return o, nil
}

func (f *flags) level() (level slog.Level, err error) {
	if err := level.UnmarshalText([]byte(f.logLevel)); err != nil {
		return level, fmt.Errorf("--log-level %q: debug, info, warn or error", f.logLevel)
	}
	return level, nil
}
