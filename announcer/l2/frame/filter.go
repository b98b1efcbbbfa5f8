package frame

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/net/bpf"
)

// accept is the return value of a filter that lets the whole frame pass.
const accept = 1 << 18

// Filter returns the program that lets pass, of all frames that the kernel
// shows a socket, ARP requests and replies for IPv4 over Ethernet that the
// interface with this index received and another station sent.
func (ARP) Filter(index int, mac MAC) ([]bpf.RawInstruction, error) {
	return assemble(append(received(index), arpFilter(mac)...))
}

// Filter returns the program that lets pass, of all frames that the kernel
// shows a socket, neighbour solicitations and advertisements that the
// interface with this index received and another station sent.
func (NDP) Filter(index int, mac MAC) ([]bpf.RawInstruction, error) {
	return assemble(append(received(index), ndpFilter(mac)...))
}

// received keeps what came in for this host on this very interface. The
// kernel shows a socket on eth0 also the frames of its VLANs, and with the
// interface in promiscuous mode those for others.
func received(index int) []test {
	const packetMulticast = 2 // the last of PACKET_HOST, _BROADCAST, _MULTICAST
	return []test{
		must(bpf.LoadExtension{Num: bpf.ExtType}, bpf.JumpLessOrEqual, packetMulticast),
		must(bpf.LoadExtension{Num: bpf.ExtInterfaceIndex}, bpf.JumpEqual, uint32(index)),
	}
}

// arpFilter lets frames pass that are too short for the tests after it: they
// are to be counted.
func arpFilter(mac MAC) []test {
	return append([]test{
		must(half(etherType), bpf.JumpEqual, etherTypeARP),
		enough(bpf.LoadExtension{Num: bpf.ExtLen}, bpf.JumpLessThan, arpSize),
		must(word(arpFixed), bpf.JumpEqual, arpIPv4>>32),
		must(half(arpFixed+4), bpf.JumpEqual, arpIPv4>>16&0xffff),
		must(half(arpOperation), bpf.JumpGreaterOrEqual, arpRequest),
		must(half(arpOperation), bpf.JumpLessOrEqual, arpReply),
	}, notFrom(mac)...)
}

// ndpFilter lets frames of ICMPv6 pass that end before its type: they are to be
// counted.
func ndpFilter(mac MAC) []test {
	return append([]test{
		must(half(etherType), bpf.JumpEqual, etherTypeIPv6),
		must(octet(ip6NextHeader), bpf.JumpEqual, protocolICMPv6),
		enough(bpf.LoadExtension{Num: bpf.ExtLen}, bpf.JumpLessOrEqual, icmpType),
		must(octet(icmpType), bpf.JumpGreaterOrEqual, typeSolicitation),
		must(octet(icmpType), bpf.JumpLessOrEqual, typeAdvertisement),
	}, notFrom(mac)...)
}

// notFrom drops what this station sent and some switch or bond sent back.
func notFrom(mac MAC) []test {
	return []test{
		enough(word(etherSource+2), bpf.JumpNotEqual, binary.BigEndian.Uint32(mac[2:])),
		must(half(etherSource), bpf.JumpNotEqual, uint32(binary.BigEndian.Uint16(mac[:]))),
	}
}

// test is one step of a filter.
type test struct {
	load  bpf.Instruction
	cond  bpf.JumpTest
	value uint32
	// final: a frame that passes the test is accepted, and one that fails it
	// goes on. Otherwise one that passes goes on and one that fails is dropped.
	final bool
}

func must(load bpf.Instruction, cond bpf.JumpTest, value uint32) test {
	return test{load: load, cond: cond, value: value}
}

func enough(load bpf.Instruction, cond bpf.JumpTest, value uint32) test {
	return test{load: load, cond: cond, value: value, final: true}
}

func octet(offset uint32) bpf.Instruction { return bpf.LoadAbsolute{Off: offset, Size: 1} }
func half(offset uint32) bpf.Instruction  { return bpf.LoadAbsolute{Off: offset, Size: 2} }
func word(offset uint32) bpf.Instruction  { return bpf.LoadAbsolute{Off: offset, Size: 4} }

func assemble(tests []test) ([]bpf.RawInstruction, error) {
	program, err := bpf.Assemble(compile(tests))
	if err != nil {
		return nil, fmt.Errorf("assemble packet filter: %w", err)
	}
	return program, nil
}

// compile lays the tests out one after the other, a load and a jump each, with
// the two ends after them.
func compile(tests []test) []bpf.Instruction {
	program := make([]bpf.Instruction, 0, 2*len(tests)+2)
	for i, t := range tests {
		toAccept := uint8(2 * (len(tests) - i - 1))
		jump := bpf.JumpIf{Cond: t.cond, Val: t.value, SkipFalse: toAccept + 1}
		if t.final {
			jump = bpf.JumpIf{Cond: t.cond, Val: t.value, SkipTrue: toAccept}
		}
		program = append(program, t.load, jump)
	}
	return append(program, bpf.RetConstant{Val: accept}, bpf.RetConstant{Val: 0})
}
