// Package wire reads and writes the datagrams that announcers send each other:
// heartbeats, claims and refusals. docs/heartbeat.md describes them byte by byte.
//
// A Sealer writes: it appends a datagram, header and tag included, to a slice of
// the caller's. An Opener reads: Open checks all that can be checked without
// knowing who is out there, and gives a view of the datagram, whose body one of
// Heartbeat, Claims and Refusal then decodes. What is wrong is told as a Reason,
// which is also the label of a counter.
//
// There is one way to write each value, and nothing else is read: whatever decodes
// encodes to the same bytes. A Sealer refuses what an Opener would drop.
//
// Neither is safe for concurrent use: each goroutine has its own. Neither allocates
// once it was used, if the slices that it is given are large enough.
package wire

import "time"

// Version is the version of the format. No other is read.
const Version = 1

// Bounds of what is sent. What is beyond them is neither written nor read.
const (
	// MaxDatagram fits into an MTU of 1450 with IPv6 and UDP headers.
	MaxDatagram = 1400
	// MaxName is the length of the longest node name (RFC 1123 section 2.1).
	MaxName = 253
	// MaxPrefixes bounds the prefixes of a heartbeat.
	MaxPrefixes = 16

	MinInterval   = time.Millisecond
	MaxInterval   = time.Minute
	MinMultiplier = 2
	MaxMultiplier = 100
)

// How datagrams travel.
const (
	// Port is the UDP port, if no other is asked for.
	Port = 9645
	// HopLimit is what datagrams are sent with, and have to come with: nothing
	// that passed a router has it (RFC 5082).
	HopLimit = 255
	// Group4 and Group6 are the multicast groups.
	Group4 = "224.0.0.254"
	Group6 = "ff02::114"
)
