package bgp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"unicode"
	"unicode/utf8"

	packet "github.com/osrg/gobgp/v4/pkg/packet/bgp"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// notification is a NOTIFICATION (RFC 4271 section 4.5).
type notification struct {
	code, subcode uint8
	data          []byte
}

// refused is why this end refuses a session, or ends it: the router is sent the
// NOTIFICATION, if it has a code.
type refused struct {
	notification
	// detail is what the NOTIFICATION's words leave open, "" if nothing.
	detail string
}

func refuse(code, subcode uint8, data []byte, detail string) *refused {
	return &refused{notification: notification{code: code, subcode: subcode, data: data}, detail: detail}
}

func (r *refused) Error() string {
	switch {
	case r.code == 0:
		return r.detail
	case r.detail == "":
		return "NOTIFICATION sent: " + r.String()
	default:
		return "NOTIFICATION sent: " + r.String() + ": " + r.detail
	}
}

// told is a NOTIFICATION that the router sent.
type told struct{ notification }

func (t *told) Error() string {
	detail := t.detail()
	if detail == "" {
		return "NOTIFICATION received: " + t.String()
	}
	return "NOTIFICATION received: " + t.String() + ": " + detail
}

// detail is what the data of a received NOTIFICATION say, "" if nothing is known of them.
func (n notification) detail() string {
	switch {
	case n.code == packet.BGP_ERROR_CEASE && len(n.data) > 1 && int(n.data[0]) == len(n.data)-1 && printable(n.data[1:]):
		// RFC 9003: why the operator shut it down.
		return strconv.Quote(string(n.data[1:]))
	case n.code == packet.BGP_ERROR_OPEN_MESSAGE_ERROR && n.subcode == packet.BGP_ERROR_SUB_BAD_PEER_AS:
		return "the router expects another AS than this node's"
	case len(n.data) > 0:
		return fmt.Sprintf("data %x", n.data[:min(len(n.data), 32)])
	default:
		return ""
	}
}

func printable(text []byte) bool {
	if !utf8.Valid(text) {
		return false
	}
	for _, r := range string(text) {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

// String is the NOTIFICATION in the words of the RFCs that define it.
func (n notification) String() string {
	code, known := codes[n.code]
	if !known {
		return fmt.Sprintf("code %d, subcode %d", n.code, n.subcode)
	}
	if n.subcode == 0 && n.code != packet.BGP_ERROR_FSM_ERROR {
		return code
	}
	if subcode, known := subcodes[[2]uint8{n.code, n.subcode}]; known {
		return code + ", " + subcode
	}
	return fmt.Sprintf("%s, subcode %d", code, n.subcode)
}

// codes are of RFC 4271 section 4.5, RFC 7313, RFC 9687.
var codes = map[uint8]string{ //nolint:gochecknoglobals // constant
	1: "Message Header Error", 2: "OPEN Message Error", 3: "UPDATE Message Error", 4: "Hold Timer Expired",
	5: "Finite State Machine Error", 6: "Cease", 7: "ROUTE-REFRESH Message Error", 8: "Send Hold Timer Expired",
}

// subcodes are of RFC 4271 section 6, RFC 4486, 5492, 6608, 8538, 9234, 9384.
var subcodes = map[[2]uint8]string{ //nolint:gochecknoglobals // constant
	{1, 1}: "Connection Not Synchronized", {1, 2}: "Bad Message Length", {1, 3}: "Bad Message Type",
	{2, 1}: "Unsupported Version Number", {2, 2}: "Bad Peer AS", {2, 3}: "Bad BGP Identifier",
	{2, 4}: "Unsupported Optional Parameter", {2, 6}: "Unacceptable Hold Time", {2, 7}: "Unsupported Capability", {2, 11}: "Role Mismatch",
	{3, 1}: "Malformed Attribute List", {3, 2}: "Unrecognized Well-known Attribute", {3, 3}: "Missing Well-known Attribute",
	{3, 4}: "Attribute Flags Error", {3, 5}: "Attribute Length Error", {3, 6}: "Invalid ORIGIN Attribute",
	{3, 8}: "Invalid NEXT_HOP Attribute", {3, 9}: "Optional Attribute Error", {3, 10}: "Invalid Network Field", {3, 11}: "Malformed AS_PATH",
	{5, 0}: "Unspecified", {5, 1}: "Unexpected Message in OpenSent", {5, 2}: "Unexpected Message in OpenConfirm", {5, 3}: "Unexpected Message in Established",
	{6, 1}: "Maximum Number of Prefixes Reached", {6, 2}: "Administrative Shutdown", {6, 3}: "Peer De-configured",
	{6, 4}: "Administrative Reset", {6, 5}: "Connection Rejected", {6, 6}: "Other Configuration Change",
	{6, 7}: "Connection Collision Resolution", {6, 8}: "Out of Resources", {6, 9}: "Hard Reset", {6, 10}: "BFD Down",
}

// errUnseen is why an unnumbered session does not begin.
var errUnseen = errors.New("no router was seen on the interface")

// unconnected is why there is no connection to the router.
type unconnected struct {
	err      error
	password bool
}

func (u *unconnected) Unwrap() error { return u.err }

func (u *unconnected) Error() string {
	var timeout net.Error
	var missing netlink.LinkNotFoundError
	switch {
	case errors.As(u.err, &missing):
		return "no such interface"
	case errors.Is(u.err, unix.ECONNREFUSED):
		return "connection refused: the router does not listen there, or not to this node"
	case errors.Is(u.err, unix.EHOSTUNREACH):
		return "no route to the router, or no answer from it on the link"
	case errors.Is(u.err, unix.ENETUNREACH):
		return "no route to the router"
	case errors.Is(u.err, unix.EADDRNOTAVAIL):
		return "the source address is not one of this node's"
	case errors.As(u.err, &timeout) && timeout.Timeout() && u.password:
		return "connection timed out: wrong password or filtered, or the router is down"
	case errors.As(u.err, &timeout) && timeout.Timeout():
		return "connection timed out: filtered, or the router is down, or it wants a password"
	default:
		return "not connected: " + u.err.Error()
	}
}

// closed is that the router ended the connection without a word, in a state.
type closed struct {
	err   error
	state State
}

func (c *closed) Unwrap() error { return c.err }

func (c *closed) Error() string {
	switch known := errors.Is(c.err, io.EOF) || errors.Is(c.err, io.ErrUnexpectedEOF) || errors.Is(c.err, unix.ECONNRESET) || errors.Is(c.err, unix.EPIPE); {
	case !known:
		return "the connection failed in " + string(c.state) + ": " + c.err.Error()
	case c.state == Established:
		return "the router closed the connection"
	default:
		return "the router closed the connection in " + string(c.state) + ": it may not know this node as a neighbor"
	}
}

// sendHoldTimerExpired is of RFC 9687.
const sendHoldTimerExpired = 8

// interpret is what an error of the connection means.
func (c *connection) interpret(err error) error {
	var refusal *refused
	var notice *told
	switch {
	case c.ctx.Err() != nil:
		return context.Cause(c.ctx)
	case errors.As(err, &refusal), errors.As(err, &notice):
		return err
	case !errors.Is(err, os.ErrDeadlineExceeded):
		return &closed{err: err, state: c.state}
	case c.broken:
		return refuse(sendHoldTimerExpired, 0, nil, "the router takes nothing that it is sent")
	case c.state == OpenSent:
		return refuse(packet.BGP_ERROR_HOLD_TIMER_EXPIRED, 0, nil, "the router accepted the connection, and sent no OPEN")
	default:
		return refuse(packet.BGP_ERROR_HOLD_TIMER_EXPIRED, 0, nil, "the router was silent in "+string(c.state))
	}
}
