// Package bgp advertises addresses to routers by BGP (RFC 4271, 4760), in GoBGP's
// messages. It runs in the agent: see docs/architecture.md. It learns nothing from
// routers, listens nowhere, and needs no right. Each peer has a session of its own, so
// that whatever one router does, the sessions with the others do not see it.
package bgp

import (
	"net/netip"
	"time"

	"github.com/heraldlb/herald/config/bgp"
)

// Peer is a router, and all that this node is to tell it. It is the whole of what a
// session is made from: two that are equal but for NextHops and Routes share a session.
type Peer struct {
	// Name tells the peer from others: in logs, events, metrics, status.
	Name string
	// LocalASN and RouterID are this node's.
	LocalASN uint32
	RouterID netip.Addr
	// Address is the router's; not valid on an unnumbered session, which has Interface.
	Address   netip.Addr
	Interface string
	ASN       uint32
	Port      uint16
	// Multihop is the TTL to a router that is not on a link; 0: it is.
	Multihop uint8
	Password string
	// SourceAddress is this node's end; not valid: as the kernel routes.
	SourceAddress                        netip.Addr
	HoldTime, KeepaliveTime, ConnectTime time.Duration
	// GracefulRestart is for how long the router keeps routes without a session; 0: it
	// does not.
	GracefulRestart time.Duration
	// NextHops are this node's addresses that routes of a family lead to where the
	// session's own is of the other family; not valid: none is known.
	NextHops NextHops

	Routes []Route
}

// NextHops are a node's addresses, one of each family.
type NextHops struct{ V4, V6 netip.Addr }

// Route is one prefix with its attributes.
type Route struct {
	Prefix     netip.Prefix
	Attributes bgp.Attributes
}

// State is that of a session (RFC 4271 section 8.2.2).
type State string

// The states of a session.
const (
	Idle        State = "Idle"
	Connect     State = "Connect"
	Active      State = "Active"
	OpenSent    State = "OpenSent"
	OpenConfirm State = "OpenConfirm"
	Established State = "Established"
)

// Session is how a session stands.
type Session struct {
	Peer string `json:"peer"`
	// Address is the router's, once known; ASN is the router's.
	Address netip.Addr `json:"address,omitzero"`
	ASN     uint32     `json:"asn"`
	State   State      `json:"state"`
	// Since is when the state was entered; of a session that is not established, when
	// it last was, or was begun.
	Since time.Time `json:"since"`
	// Reason is why it is not established, in words: the last NOTIFICATION sent or
	// received, or the last error of the connection; "" if nothing is known.
	Reason string `json:"reason,omitempty"`
	// Advertised counts the prefixes that the router was told and not told to forget,
	// Withheld those that it should be told and cannot be, and Why; Withheld6 are those of
	// them that are IPv6. On one session all of a family are withheld, or none.
	Advertised int    `json:"advertised"`
	Withheld   int    `json:"withheld,omitempty"`
	Withheld6  int    `json:"withheld6,omitempty"`
	Why        string `json:"why,omitempty"`
	// Updates counts UPDATE messages sent, Flaps how often the session was lost.
	Updates uint64 `json:"updates"`
	Flaps   uint64 `json:"flaps"`
}
