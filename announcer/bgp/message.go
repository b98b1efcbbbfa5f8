package bgp

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"

	packet "github.com/osrg/gobgp/v4/pkg/packet/bgp"
)

// message is one from the router. Of an UPDATE there is no body: this node learns no
// routes, so what a router says of them is neither kept nor looked at.
type message struct {
	kind uint8
	body []byte
}

// marker begins each message (RFC 4271 section 4.1).
var marker = bytes.Repeat([]byte{0xff}, 16) //nolint:gochecknoglobals // constant

// read returns the next message, or a *refused that says what is wrong with it (RFC
// 4271 section 6.1).
func read(r *bufio.Reader) (message, error) {
	header, err := r.Peek(packet.BGP_HEADER_LENGTH)
	if err != nil {
		return message{}, err
	}
	length, kind := int(binary.BigEndian.Uint16(header[16:18])), header[18]
	switch {
	case !bytes.Equal(header[:16], marker):
		return message{}, refuse(packet.BGP_ERROR_MESSAGE_HEADER_ERROR, packet.BGP_ERROR_SUB_CONNECTION_NOT_SYNCHRONIZED, nil, "")
	case length < least(kind) || length > packet.BGP_MAX_MESSAGE_LENGTH || kind == packet.BGP_MSG_KEEPALIVE && length != packet.BGP_HEADER_LENGTH:
		return message{}, refuse(packet.BGP_ERROR_MESSAGE_HEADER_ERROR, packet.BGP_ERROR_SUB_BAD_MESSAGE_LENGTH, bytes.Clone(header[16:18]), fmt.Sprintf("%d bytes", length))
	case kind < packet.BGP_MSG_OPEN || kind > packet.BGP_MSG_ROUTE_REFRESH:
		return message{}, refuse(packet.BGP_ERROR_MESSAGE_HEADER_ERROR, packet.BGP_ERROR_SUB_BAD_MESSAGE_TYPE, []byte{kind}, fmt.Sprintf("type %d", kind))
	}
	if kind == packet.BGP_MSG_UPDATE {
		_, err = r.Discard(length)
		return message{kind: kind}, err
	}
	whole, err := r.Peek(length)
	if err != nil {
		return message{}, err
	}
	body := bytes.Clone(whole[packet.BGP_HEADER_LENGTH:])
	_, err = r.Discard(length)
	return message{kind: kind, body: body}, err
}

// least is the length of the shortest message of a kind.
func least(kind uint8) int {
	switch kind {
	case packet.BGP_MSG_OPEN:
		return 29
	case packet.BGP_MSG_UPDATE, packet.BGP_MSG_ROUTE_REFRESH:
		return 23
	case packet.BGP_MSG_NOTIFICATION:
		return 21
	default:
		return packet.BGP_HEADER_LENGTH
	}
}

// family is what a ROUTE-REFRESH asks for (RFC 2918 section 3); 0 if it asks for
// nothing that is known here (RFC 7313 has other subtypes).
func (m message) family() packet.Family {
	if len(m.body) != 4 || m.body[2] != 0 {
		return 0
	}
	return packet.NewFamily(binary.BigEndian.Uint16(m.body), m.body[3])
}

// notification is what a NOTIFICATION says; the body is that of one.
func (m message) notification() notification {
	return notification{code: m.body[0], subcode: m.body[1], data: m.body[2:]}
}
