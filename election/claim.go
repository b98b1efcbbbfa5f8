package election

import "net/netip"

// ID names one run of an announcer.
type ID struct {
	Node string
	// Incarnation is higher in each run of the same node's announcer.
	Incarnation uint64
}

// Claim says that a node answers for an address.
type Claim struct {
	Address netip.Addr
	// Yielding asks for a successor: the claimant answers until it hears of one.
	Yielding bool
	// Tentative says that the claimant does not answer yet: it is to find out first
	// that no stranger uses the address. It is not Yielding then.
	Tentative bool
}

// Digest sums up all claims of a node; heartbeats carry it.
type Digest struct {
	// Version is higher after each change; it starts from 0 in each incarnation.
	Version uint64
	// Count is the number of claims.
	Count uint32
	// Sum is the exclusive or of a hash of each claim.
	Sum uint64
}

// Kind tells what a message between elections is.
type Kind uint8

// The kinds of messages.
const (
	// Update tells what changed from Version-1 to Version.
	Update Kind = iota + 1
	// List tells all claims, as of Version, in Parts parts.
	List
	// Request asks for a List.
	Request
)

// Message is what elections say to each other about claims.
type Message struct {
	Kind    Kind
	Version uint64
	// Part of Parts is of a List; the first is 0.
	Part, Parts uint16
	// Claims are new or changed in an Update, all in a List.
	Claims []Claim
	// Dropped are the addresses that an Update gives up.
	Dropped []netip.Addr
}

// MaxEntryBytes bounds the claims and dropped addresses of one message: each
// costs a byte, and those of the address.
const MaxEntryBytes = 1080
