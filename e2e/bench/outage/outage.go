// Package outage asks addresses a thousand times a second, and tells how long
// they gave no answer.
//
// The asker runs on a host of the lab, as this program again; Start starts it
// there and leads it by its standard input and output.
package outage

import (
	"net/netip"
	"time"

	"github.com/heraldlb/herald/e2e/bench/clock"
)

// Kind is a way to ask.
type Kind string

// The ways to ask.
const (
	// Datagram asks by UDP, all from one socket.
	Datagram Kind = "udp"
	// Flows asks by UDP, from many sockets in turn.
	Flows Kind = "udp flows"
	// Connection asks by TCP, each on a new connection.
	Connection Kind = "tcp"
	// Kept asks by TCP, on connections that stay.
	Kept Kind = "kept tcp"
	// Neighbour asks on the segment who has the address, by ARP or neighbour
	// discovery.
	Neighbour Kind = "neighbour"
)

const (
	// interval is the time from one question to the next.
	interval = time.Millisecond
	// patience is how long an answer may take: less than TCP waits to send a
	// lost packet again, so that a lost packet is a failed request.
	patience = 800 * time.Millisecond
)

// Port is where the echo answers, by UDP and TCP.
const Port = 7007

// Task is what an asker is to do.
type Task struct {
	Kind Kind `json:"kind"`
	// Interface is the link to ask on, for Neighbour.
	Interface string           `json:"interface"`
	Targets   []netip.AddrPort `json:"targets"`
}

// Request is one question and when its answer came; 0 is never.
type Request struct {
	Sent, Answered clock.Instant
}

// Result tells how one target did.
type Result struct {
	Target netip.AddrPort `json:"target"`
	Sent   int            `json:"sent"`
	// Lost are the requests that got no answer.
	Lost int `json:"lost"`
	// Outage is the longest that a request had to wait for an answer: for its
	// own or, if that was lost, for the next one to a later request.
	Outage time.Duration `json:"outage"`
	// Lossy is the time from the first request that got no answer to the first one
	// after the last of them: with several ways to a target, of which one fails,
	// answers to other requests hide that in Outage.
	Lossy time.Duration `json:"lossy"`
	// Stall is the longest time between two requests: a busy machine's doing,
	// and nobody's fault.
	Stall time.Duration `json:"stall"`
	// Broken are the connections that stayed, for Kept, until they were reset
	// or gave no answer.
	Broken int `json:"broken,omitempty"`
	// Voices are those who answered, by link-layer address, for Neighbour.
	Voices map[string]Voice `json:"voices,omitempty"`
}

// Voice is when a station answered first and last.
type Voice struct {
	First, Last clock.Instant
}
