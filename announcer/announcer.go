// Package announcer holds the vocabulary between the half of a node that knows
// Kubernetes (the agent) and the half that speaks on the wire (the announcer
// process). It imports no Kubernetes package: the announcer holds no token.
package announcer

import (
	"net"
	"net/netip"
	"time"
)

// Announcement is one address that this node is to answer for.
type Announcement struct {
	// Address is the announced address; IPv4-mapped IPv6 is not valid.
	Address netip.Addr `json:"address"`
	// Interface names the one interface to announce on. Empty means every
	// interface on which Address is on-link.
	Interface string `json:"interface,omitempty"`
	// Probe asks for a check that no stranger uses Address (RFC 5227 section
	// 2.1.1, RFC 4862 section 5.4) before it is announced. It is set when no node
	// is known to have answered for it, not when it moves between nodes.
	Probe bool `json:"probe,omitempty"`
	// From is the node that hands Address over, and answers until this one does; ""
	// if none does.
	From string `json:"from,omitempty"`
}

// State tells how far an announcement has come.
type State string

// The states of an announcement.
const (
	// Probing: the address is being checked for strangers that use it.
	Probing State = "Probing"
	// Announced: this node answers for the address.
	Announced State = "Announced"
	// OffLink: no interface of this node has the address on-link, or the
	// interface that was named is absent or down.
	OffLink State = "OffLink"
	// Conflict: a stranger answers for the address.
	Conflict State = "Conflict"
	// Withdrawn: this node no longer answers for the address.
	Withdrawn State = "Withdrawn"
	// Standby: this node does not own the address. Another does, or nobody yet.
	Standby State = "Standby"
)

// Status is what the announcer observed of one announcement.
type Status struct {
	Address netip.Addr `json:"address"`
	State   State      `json:"state"`
	// Owner is the node that owns the address as far as this one has heard, ""
	// if nobody does.
	Owner string `json:"owner,omitempty"`
	// Interfaces are those that the address is announced on, sorted.
	Interfaces []string `json:"interfaces,omitempty"`
	// Stranger is the link-layer address of the other user of the address,
	// set in state Conflict and when an announced address is contested.
	Stranger HardwareAddr `json:"stranger,omitempty"`
	// Since is when the state was entered.
	Since time.Time `json:"since"`
}

// HardwareAddr is a link-layer address that prints and marshals as text.
type HardwareAddr net.HardwareAddr

// String returns the colon-separated form.
func (a HardwareAddr) String() string { return net.HardwareAddr(a).String() }

// MarshalText implements encoding.TextMarshaler.
func (a HardwareAddr) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (a *HardwareAddr) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*a = nil
		return nil
	}
	parsed, err := net.ParseMAC(string(text))
	if err != nil {
		return err
	}
	*a = HardwareAddr(parsed)
	return nil
}

// Announcer answers on the wire for the addresses it is told of. No method
// blocks on the wire. What is told in one call counts as one of many.
type Announcer interface {
	// Put begins, or changes, announcements.
	Put(...Announcement)
	// Delete ends the announcement of addresses; unknown ones are ignored.
	Delete(...netip.Addr)
	// Again has everybody told once more of addresses that another node of ours
	// answered for too, and no longer does.
	Again(...netip.Addr)
}
