package wire

import "encoding/binary"

// Refusal tells a node that it speaks with an incarnation that others know to be
// past. A node whose clock went back takes a higher one then.
type Refusal struct {
	// Node is the name of the node that is refused. In a refusal that was decoded it
	// is a view of the datagram's bytes.
	Node []byte
	// Incarnation is the highest that is known of the node.
	Incarnation uint64
}

// A refusal's body, before the name.
const (
	atRefused      = 0
	atRefusedName  = 8
	refusalLen     = 9
	highestRefused = MaxIncarnation - 1 // a higher one exists
)

func (r *Refusal) check() Reason {
	switch {
	case r.Incarnation == 0 || r.Incarnation > highestRefused:
		return BadIncarnation
	case !validName(r.Node):
		return BadName
	}
	return Accepted
}

func appendRefusal(b []byte, r *Refusal) []byte {
	b = binary.BigEndian.AppendUint64(b, r.Incarnation)
	b = append(b, byte(len(r.Node)))
	return append(b, r.Node...)
}

// Refusal decodes the body of a refusal.
func (d *Datagram) Refusal(into *Refusal) Reason {
	if d.Kind != KindRefusal {
		return BadKind
	}
	b := d.body
	if len(b) < refusalLen {
		return Truncated
	}
	length := int(b[atRefusedName])
	name := b[refusalLen:]
	if len(name) != length {
		return BadCount
	}
	*into = Refusal{Node: name[:length:length], Incarnation: binary.BigEndian.Uint64(b[atRefused:])}
	return into.check()
}
