package membership

import "github.com/heraldlb/herald/membership/wire"

// Reason says why a member is no longer alive.
type Reason string

// The reasons.
const (
	// Silent: no heartbeat came for its interval times its multiplier.
	Silent Reason = "silent"
	// Farewell: it said so.
	Farewell Reason = "farewell"
	// Refused: it was silent, and its host says that nobody listens there.
	Refused Reason = "refused"
	// Superseded: the announcer of its node was started again.
	Superseded Reason = "superseded"
	// Unlinked: the interface that it was heard on is no longer of use here.
	Unlinked Reason = "unlinked"
)

// drop is why a datagram is not taken: a wire.Reason, or one of those below.
type drop uint8

const taken = drop(wire.Accepted)

const (
	// duplicate: the same was received before, as happens.
	duplicate = drop(wire.Reasons) + iota
	// own: it was sent by this node.
	own
	// otherSource: its sender is heard from another address.
	otherSource
	// otherPort: it was not sent by an announcer's socket.
	otherPort
	// unknown: claims of one that is not alive.
	unknown
	// overrun: claims for which there was no room.
	overrun
	// unsent: the kernel did not take it.
	unsent
	drops
)

// label is that of metrics.
func (d drop) label() string {
	if d < duplicate {
		return wire.Reason(d).Label()
	}
	return [...]string{"duplicate", "own", "source", "port", "unknown", "overrun", "unsent"}[d-duplicate]
}

// help says what is wrong, "" for what is not worth a line in the log.
func (d drop) help() string {
	if d < duplicate {
		return wire.Reason(d).Error()
	}
	return [...]string{
		"", "", "its sender is heard from another address: two nodes of one name, or a forger",
		"it was not sent from the port of heartbeats", "", "there was no room for its claims, which will be repeated",
		"the kernel did not take it",
	}[d-duplicate]
}
