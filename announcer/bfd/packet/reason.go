package packet

// Reason is why a packet is not taken.
type Reason uint8

// The reasons, in the order of the checks.
const (
	// Accepted: it is taken.
	Accepted Reason = iota
	// Short: it is shorter than the shortest packet.
	Short
	// BadVersion: it is not of version 1.
	BadVersion
	// BadLength: its length is not that of the datagram.
	BadLength
	// NoMultiplier: its Detect Mult is 0.
	NoMultiplier
	// Multipoint: it has the M bit.
	Multipoint
	// NoDiscriminator: its My Discriminator is 0.
	NoDiscriminator
	// Unaddressed: it is of a session that is Init or Up, and its Your Discriminator is 0.
	Unaddressed
	// Authenticated: it is, and no session is.
	Authenticated
	// PollAndFinal: it has both bits.
	PollAndFinal
	// Reasons is how many there are.
	Reasons
)

// Label is that of metrics.
func (r Reason) Label() string {
	return [...]string{
		"accepted", "short", "version", "length", "multiplier", "multipoint", "my-discriminator", "unaddressed",
		"authenticated", "poll-and-final",
	}[r]
}

// Diagnostic is why the sender's session was last taken down (RFC 5880 section 4.1).
type Diagnostic uint8

// Those that this end has a use for.
const (
	NoDiagnostic   Diagnostic = 0
	TimeExpired    Diagnostic = 1
	NeighborDown   Diagnostic = 3
	Administrative Diagnostic = 7
)

// String returns the words of RFC 5880, "" for none.
func (d Diagnostic) String() string {
	words := [...]string{
		"", "Control Detection Time Expired", "Echo Function Failed", "Neighbor Signaled Session Down",
		"Forwarding Plane Reset", "Path Down", "Concatenated Path Down", "Administratively Down",
		"Reverse Concatenated Path Down",
	}
	if int(d) < len(words) {
		return words[d]
	}
	return "Reserved"
}
