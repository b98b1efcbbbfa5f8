package upnp

import (
	"cmp"
	"net/netip"
	"time"
)

// Protocol is what the Services API calls it.
type Protocol string

// The protocols that gateways forward.
const (
	TCP Protocol = "TCP"
	UDP Protocol = "UDP"
)

// Rule is what a gateway is to do: pass on what comes for a port of its external
// address to the same port of Client. An IPv6 Client is its own external address; the
// gateway is to let its port through (a pinhole).
type Rule struct {
	Client   netip.Addr
	Protocol Protocol
	Port     uint16
}

func (r Rule) compare(other Rule) int {
	return cmp.Or(r.Client.Compare(other.Client), cmp.Compare(r.Protocol, other.Protocol), cmp.Compare(r.Port, other.Port))
}

// String returns it as in 192.0.2.1:80/TCP.
func (r Rule) String() string {
	return netip.AddrPortFrom(r.Client, r.Port).String() + "/" + string(r.Protocol)
}

// Want is a rule, with what the gateway is told about it.
type Want struct {
	Rule
	// For is what it serves, as NAMESPACE/NAME. It stands in the gateway's table, for
	// those who read that.
	For string
	// Lease is for how long the gateway keeps the rule if it is not renewed.
	Lease time.Duration
}

// maxDescription bounds that of a mapping. Gateways are known to refuse long ones.
const maxDescription = 63

// description returns that of the mapping: "herald default/web". It does not say who
// holds the mapping: gateways keep the description of the first who asked.
func (w Want) description() string {
	text := "herald " + w.For
	return text[:min(len(text), maxDescription)]
}

// Entry is a mapping in a gateway's table.
type Entry struct {
	Client      netip.AddrPort
	Description string
}

// State is how far a rule has come.
type State string

// The states of a rule.
const (
	// Pending: the gateway has not been asked yet.
	Pending State = "Pending"
	// Mapped: it is in force.
	Mapped State = "Mapped"
	// Conflict: the gateway passes the port on to somebody else.
	Conflict State = "Conflict"
	// Refused: the gateway does not do it.
	Refused State = "Refused"
	// NoGateway: there is none, or it does not answer.
	NoGateway State = "NoGateway"
)

// Status is what came of a rule.
type Status struct {
	Rule
	State State
	// External is where it is reached from outside, if Mapped; not valid if the
	// gateway has no address at present.
	External netip.AddrPort
	// Problem says in words what is wrong, "" if nothing.
	Problem string
	// Lapsed says that no gateway can have the rule any more: its lease is over.
	Lapsed bool
}
