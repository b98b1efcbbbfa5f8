// Package match has what rules of nftables match packets by. All of it works in the
// first register.
package match

import (
	"net/netip"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// Where what is matched stands in a header (RFC 791, RFC 8200, RFC 9293).
const (
	source4, destination4 = 12, 16
	source6, destination6 = 8, 24

	tcpFlags = 13
	flagFIN  = 1 << 0
	flagSYN  = 1 << 1
	flagRST  = 1 << 2
	flagACK  = 1 << 4
)

// Ports stand there in a TCP header.
const (
	SourcePort      = 0
	DestinationPort = 2
)

// Equals matches what was loaded.
func Equals(data []byte) *expr.Cmp {
	return &expr.Cmp{Op: expr.CmpOpEq, Register: unix.NFT_REG_1, Data: data}
}

// Source loads where a packet comes from, an address of the family of a.
func Source(a netip.Addr) *expr.Payload { return address(a, source4, source6) }

// Destination loads where a packet goes to, an address of the family of a.
func Destination(a netip.Addr) *expr.Payload { return address(a, destination4, destination6) }

func address(a netip.Addr, of4, of6 uint32) *expr.Payload {
	p := &expr.Payload{DestRegister: unix.NFT_REG_1, Base: expr.PayloadBaseNetworkHeader, Offset: of4, Len: uint32(a.BitLen() / 8)}
	if a.Is6() {
		p.Offset = of6
	}
	return p
}

// TCP matches TCP.
func TCP() []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: unix.NFT_REG_1},
		Equals([]byte{unix.IPPROTO_TCP}),
	}
}

// SYN matches, of TCP, what begins a connection.
func SYN() []expr.Any {
	return []expr.Any{
		&expr.Payload{DestRegister: unix.NFT_REG_1, Base: expr.PayloadBaseTransportHeader, Offset: tcpFlags, Len: 1},
		&expr.Bitwise{
			SourceRegister: unix.NFT_REG_1, DestRegister: unix.NFT_REG_1, Len: 1,
			Mask: []byte{flagFIN | flagSYN | flagRST | flagACK}, Xor: []byte{0},
		},
		Equals([]byte{flagSYN}),
	}
}
