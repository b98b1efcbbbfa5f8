package ipam

import (
	"iter"
	"slices"
)

// portSet is a set of ports in three bytes each (protocol, number), ascending: a
// string can be compared, hashed and shared, and holds no pointer per port.
type portSet string

// port is a protocol number and a port number: protocol<<16 | number.
type port uint32

const portBytes = 3

// protocolNumber returns the IANA number of a protocol; 255, which is reserved,
// stands for those a Service cannot have.
func protocolNumber(name string) (number uint8, known bool) {
	switch name {
	case "TCP":
		return 6, true
	case "UDP":
		return 17, true
	case "SCTP":
		return 132, true
	}
	return 255, false
}

// appendPortSet appends the ports in the form of a portSet. The caller turns it
// into one, to save the allocation where the set is known already.
func appendPortSet(dst []byte, ports []Port) []byte {
	var few [16]port
	sorted := few[:0]
	for _, p := range ports {
		number, _ := protocolNumber(p.Protocol)
		sorted = append(sorted, port(number)<<16|port(p.Number))
	}
	slices.Sort(sorted)
	for _, p := range slices.Compact(sorted) {
		dst = append(dst, byte(p>>16), byte(p>>8), byte(p))
	}
	return dst
}

// all yields the ports in ascending order.
func (s portSet) all() iter.Seq[port] {
	return func(yield func(port) bool) {
		for ; len(s) > 0; s = s[portBytes:] {
			if !yield(port(s[0])<<16 | port(s[1])<<8 | port(s[2])) {
				return
			}
		}
	}
}

// has reports whether p is in the set.
func (s portSet) has(p port) bool {
	for q := range s.all() {
		if q >= p {
			return q == p
		}
	}
	return false
}

// common returns a port that is in both sets.
func (s portSet) common(t portSet) (port, bool) {
	for len(s) > 0 && len(t) > 0 {
		switch a, b := s[:portBytes], t[:portBytes]; {
		case a == b:
			for p := range a.all() {
				return p, true
			}
		case a < b:
			s = s[portBytes:]
		default:
			t = t[portBytes:]
		}
	}
	return 0, false
}

// public returns the port in the form of the API.
func (p port) public() Port {
	for _, name := range []string{"TCP", "UDP", "SCTP"} {
		if number, _ := protocolNumber(name); port(number) == p>>16 {
			return Port{Protocol: name, Number: uint16(p)}
		}
	}
	return Port{Number: uint16(p)}
}
