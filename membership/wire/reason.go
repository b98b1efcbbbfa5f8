package wire

// Reason tells why a datagram is dropped: an error, a label for metrics, and a small
// number to index counters with.
type Reason uint8

// The reasons. Accepted is none.
const (
	Accepted Reason = iota

	// What Open finds.

	Truncated
	Oversized
	Magic
	Incompatible
	Trailing
	OtherCluster
	Unkeyed
	Keyed
	Forged

	// What Open and the decoders find in a datagram that a peer made.

	BadKind
	BadFlags
	BadName
	BadIncarnation
	BadSequence
	BadInterval
	BadMultiplier
	BadPrefix
	BadAddress
	BadPart
	BadCount

	// What package membership finds, which knows the sender and the way that the datagram took.

	HopLimitTooLow
	OffLink
	Replayed
	Superseded
	Crowded

	// Reasons is the number of reasons, Accepted included.
	Reasons
)

// Label returns a short word for metrics.
func (r Reason) Label() string { label, _ := r.text(); return label }

// Error says what is wrong.
func (r Reason) Error() string { _, help := r.text(); return help }

func (r Reason) text() (label, help string) {
	if r >= Reasons {
		return "unknown", "unknown reason"
	}
	t := texts()[r]
	return t.label, t.help
}

type text struct{ label, help string }

func texts() [Reasons]text {
	return [Reasons]text{
		Accepted: {"accepted", "nothing is wrong"},

		Truncated:    {"truncated", "it ends before what it says it holds"},
		Oversized:    {"oversized", "it is longer than 1400 bytes"},
		Magic:        {"magic", "it does not begin as ours do: something else uses the port"},
		Incompatible: {"version", "another version of the format: a node runs a release that is too old or too new"},
		Trailing:     {"trailing", "bytes follow its end"},
		OtherCluster: {"cluster", "another cluster on the same segment"},
		Unkeyed:      {"unkeyed", "it has no tag, and this node has a key"},
		Keyed:        {"keyed", "it has a tag, and this node has no key"},
		Forged:       {"forged", "its tag was made with none of this node's keys"},

		BadKind:        {"kind", "unknown kind of datagram or of claims message"},
		BadFlags:       {"flags", "unknown flags"},
		BadName:        {"name", "the node's name is not a DNS subdomain (RFC 1123)"},
		BadIncarnation: {"incarnation", "the incarnation is 0 or out of bounds"},
		BadSequence:    {"sequence", "the sequence number is 0"},
		BadInterval:    {"interval", "the interval is not between 1 ms and 60 s"},
		BadMultiplier:  {"multiplier", "the multiplier is not between 2 and 100"},
		BadPrefix:      {"prefix", "a prefix is malformed, has host bits, or is not unicast"},
		BadAddress:     {"address", "an address is malformed or not unicast"},
		BadPart:        {"part", "the part is not one of the parts"},
		BadCount:       {"count", "there are more or fewer entries than it says, or than may be"},

		HopLimitTooLow: {"hop-limit", "its hop limit is not 255: it was not sent on this link (RFC 5082)"},
		OffLink:        {"off-link", "its source is not on-link on the interface that it came by"},
		Replayed:       {"replayed", "its sequence number was seen before"},
		Superseded:     {"superseded", "a later incarnation of its node is known"},
		Crowded:        {"crowded", "there are more members than this node keeps track of"},
	}
}
