// Package packet reads and writes BFD Control packets (RFC 5880 section 4.1), without
// authentication.
package packet

import (
	"encoding/binary"
	"time"
)

// State is that of the sender's session (RFC 5880 section 4.1).
type State uint8

// The states.
const (
	AdminDown State = iota
	Down
	Init
	Up
)

// String returns the word of RFC 5880.
func (s State) String() string { return [...]string{"AdminDown", "Down", "Init", "Up"}[s&3] }

// Size is the length of a packet without authentication, MaxSize of what is read: more
// is no BFD.
const (
	Size    = 24
	MaxSize = 255
)

// Packet is a Control packet. Times are whole microseconds, up to about 71 minutes.
type Packet struct {
	Diagnostic Diagnostic
	State      State
	// Poll asks for a packet with Final, at once.
	Poll, Final bool
	// Independent (the C bit) says that the sender outlives its control plane.
	Independent bool
	// Demand says that the sender wants no periodic packets while both are Up.
	Demand     bool
	Multiplier uint8
	// My and Your are the discriminators of the sender and of who receives; Your is 0
	// where that is not known.
	My, Your uint32
	// DesiredMinTx is the interval at which the sender would like to send,
	// RequiredMinRx the shortest at which it can receive, RequiredMinEchoRx the same of
	// Echo packets. 0: none.
	DesiredMinTx, RequiredMinRx, RequiredMinEchoRx time.Duration
}

const version = 1

// The bits of the second byte.
const (
	bitPoll           = 0x20
	bitFinal          = 0x10
	bitIndependent    = 0x08
	bitAuthentication = 0x04
	bitDemand         = 0x02
	bitMultipoint     = 0x01
)

// Append appends p to b. It allocates nothing where b has the room.
func (p *Packet) Append(b []byte) []byte {
	flags := byte(p.State) << 6
	for _, f := range [...]struct {
		is  bool
		bit byte
	}{{p.Poll, bitPoll}, {p.Final, bitFinal}, {p.Independent, bitIndependent}, {p.Demand, bitDemand}} {
		if f.is {
			flags |= f.bit
		}
	}
	b = append(b, version<<5|byte(p.Diagnostic)&0x1f, flags, p.Multiplier, Size)
	b = binary.BigEndian.AppendUint32(b, p.My)
	b = binary.BigEndian.AppendUint32(b, p.Your)
	for _, d := range [...]time.Duration{p.DesiredMinTx, p.RequiredMinRx, p.RequiredMinEchoRx} {
		b = binary.BigEndian.AppendUint32(b, uint32(min(max(d/time.Microsecond, 0), 1<<32-1)))
	}
	return b
}

// Parse reads the payload of a datagram into p, and checks all that RFC 5880 section
// 6.8.6 says of a packet by itself, in its order. It allocates nothing.
func (p *Packet) Parse(b []byte) Reason {
	switch {
	case len(b) < Size:
		return Short
	case b[0]>>5 != version:
		return BadVersion
	case b[3] < Size || int(b[3]) > len(b):
		return BadLength
	case b[2] == 0:
		return NoMultiplier
	case b[1]&bitMultipoint != 0:
		return Multipoint
	}
	*p = Packet{
		Diagnostic: Diagnostic(b[0] & 0x1f), State: State(b[1] >> 6),
		Poll: b[1]&bitPoll != 0, Final: b[1]&bitFinal != 0,
		Independent: b[1]&bitIndependent != 0, Demand: b[1]&bitDemand != 0,
		Multiplier: b[2], My: binary.BigEndian.Uint32(b[4:]), Your: binary.BigEndian.Uint32(b[8:]),
		DesiredMinTx: microseconds(b[12:]), RequiredMinRx: microseconds(b[16:]), RequiredMinEchoRx: microseconds(b[20:]),
	}
	switch {
	case p.My == 0:
		return NoDiscriminator
	case p.Your == 0 && p.State != Down && p.State != AdminDown:
		return Unaddressed
	case b[1]&bitAuthentication != 0:
		return Authenticated
	case p.Poll && p.Final: // section 6.5
		return PollAndFinal
	}
	return Accepted
}

func microseconds(b []byte) time.Duration {
	return time.Duration(binary.BigEndian.Uint32(b)) * time.Microsecond
}
