package announcer

import (
	"net/netip"
	"time"
)

// BFDPeer is a router whose path the announcer watches by BFD (RFC 5880, 5881, 5883),
// for the agent's BGP. It is watched here, since a node's death has to be told from its
// agent's: this end is independent of the control plane (the C bit).
type BFDPeer struct {
	// Address is the router's, with a zone where it is link-local.
	Address netip.Addr `json:"address"`
	// Source is this node's end; not valid: as the kernel routes.
	Source netip.Addr `json:"source,omitzero"`
	// Multihop says that the router is not on a link of this node's (RFC 5883).
	Multihop bool `json:"multihop,omitempty"`
	// Interval is that at which this node sends, and is willing to receive;
	// Multiplier as many of the router's in a row make it dead.
	Interval   time.Duration `json:"interval"`
	Multiplier uint8         `json:"multiplier"`
}

// BFDState is that of a BFD session (RFC 5880 section 4.1).
type BFDState string

// The states of a BFD session.
const (
	// BFDAdminDown: an end has taken it down on purpose, which says nothing about the
	// path (RFC 5882 section 4.2). So it is told of the router's end too.
	BFDAdminDown BFDState = "AdminDown"
	BFDDown      BFDState = "Down"
	BFDInit      BFDState = "Init"
	BFDUp        BFDState = "Up"
)

// BFDNeighborDown is the Diagnostic of a session that is not Up because the router says that
// its end is not (RFC 5880 section 4.1).
const BFDNeighborDown = "Neighbor Signaled Session Down"

// BFDStatus is how a BFD session stands.
type BFDStatus struct {
	Address netip.Addr `json:"address"`
	State   BFDState   `json:"state"`
	// Diagnostic is why it is not Up, in the words of RFC 5880 section 4.1, or what
	// keeps this node from having it. "": it was not yet Up.
	Diagnostic string    `json:"diagnostic,omitempty"`
	Since      time.Time `json:"since"`
	// Flaps counts how often the router was lost: it left Up, and not on purpose. An
	// announcer that starts, or another Source, begins at 0.
	Flaps uint64 `json:"flaps"`
}
