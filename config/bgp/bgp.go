// Package bgp is the typed form of bgp.yaml, a key of the pool ConfigMap: with
// which routers the nodes speak BGP, and what they tell them. Parse reads it,
// strictly, and reports every fault at once, with line and column. ForNode says what
// of it is one node's, whose annotations are heeded too. The package is pure: no
// clock, no I/O.
//
// Schema has all keys, from the tables by which Parse reads them. AS numbers are plain
// or 1.10 (RFC 5396), durations as 90s, selectors as Kubernetes' LabelSelector. Aliases
// and merges of YAML are not read.
package bgp

import (
	"net/netip"
	"time"

	"k8s.io/apimachinery/pkg/labels"
)

// Key is the ConfigMap's key.
const Key = "bgp.yaml"

// Defaults of what bgp.yaml leaves out.
const (
	DefaultPort            = 179
	DefaultHoldTime        = 90 * time.Second
	DefaultConnectTime     = 10 * time.Second
	DefaultGracefulRestart = 120 * time.Second
	DefaultBFDInterval     = 300 * time.Millisecond
	DefaultBFDMultiplier   = 3
)

// Config is a valid bgp.yaml. It is immutable.
type Config struct {
	// LocalASN is the nodes' autonomous system (RFC 6793), from 1.
	LocalASN uint32
	// RouterID is the BGP identifier of all nodes it is not overridden on; not
	// valid: each node's own IPv4 address, or a hash of its name where it has none.
	RouterID netip.Addr
	// Peers are sorted by name.
	Peers []Peer
	// Advertisements are sorted by name. None: every address to every peer, as it is.
	Advertisements []Advertisement
}

// Peer is a router that nodes have a session with.
type Peer struct {
	Name string
	// Address is the router's, with a zone where it is link-local; not valid if
	// Interface is set.
	Address netip.Addr
	// Interface is that of an unnumbered session: the router is whoever sends router
	// advertisements there.
	Interface string
	// ASN is the router's autonomous system.
	ASN uint32
	// LocalASN is the nodes' towards this router, where it is another; 0 if not.
	LocalASN uint32
	Port     uint16
	// Multihop is the TTL towards a router that is not on a link of the node's; 0: it
	// is on one.
	Multihop uint8
	// PasswordKey is the key in the Secret of BGP passwords that has the one for TCP
	// MD5 (RFC 2385), "" if there is none.
	PasswordKey string
	// Password is a password that is known already, from kube-vip's settings alone.
	Password string
	// HoldTime is 0 or at least 3 s (RFC 4271 section 4.2); KeepaliveTime a third of
	// it, unless said otherwise. ConnectTime parts two attempts to connect.
	HoldTime, KeepaliveTime, ConnectTime time.Duration
	// BFD is nil where there is none.
	BFD *BFD
	// GracefulRestart is for how long the router keeps what a node told it while the
	// node's agent is away (RFC 4724); 0: not at all.
	GracefulRestart time.Duration
	// SourceAddress is the node's end of the session; not valid: as the kernel routes.
	SourceAddress netip.Addr
	// SourceInterface is the one that the session is bound to, from kube-vip's settings
	// alone; "" for any.
	SourceInterface string
	// NextHop4 and 6 are told as next hops in place of the node's own addresses, from
	// kube-vip's settings alone; not valid: the node's own.
	NextHop4, NextHop6 netip.Addr
	// Nodes selects the nodes that have the session, by their labels.
	Nodes labels.Selector
}

// BFD says how fast a dead path is noticed (RFC 5880): Interval times Multiplier.
type BFD struct {
	Interval   time.Duration
	Multiplier uint8
}

// Advertisement says what of which addresses is told to whom.
type Advertisement struct {
	Name string
	// Pools are the scopes of the pools whose addresses it is of; none: all.
	Pools []string
	// Services selects the Services whose addresses it is of, by their labels; Nodes
	// the nodes that tell.
	Services, Nodes labels.Selector
	// Peers are the names of the peers that are told; none: all.
	Peers []string
	// Attributes go with each route.
	Attributes Attributes
	// AggregationLength4 and 6 are how long the prefixes are that are told in place of
	// the addresses in them: 32 and 128 for the addresses themselves.
	AggregationLength4, AggregationLength6 uint8
}

// Attributes are the path attributes that bgp.yaml sets.
type Attributes struct {
	// Communities are standard ones (RFC 1997), LargeCommunities large ones (RFC
	// 8092), both sorted.
	Communities      []uint32
	LargeCommunities []LargeCommunity
	// LocalPreference goes to peers of the own autonomous system only (RFC 4271
	// section 5.1.5); nil: 100.
	LocalPreference *uint32
	// MED is the MULTI_EXIT_DISC (RFC 4271 section 5.1.4); nil: none.
	MED *uint32
	// Prepend is how many times more than once the own ASN stands in the AS path.
	Prepend uint8
}

// LargeCommunity is three numbers (RFC 8092).
type LargeCommunity struct{ Global, Local1, Local2 uint32 }
