package handover

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

const (
	// sockDestroy is SOCK_DESTROY of linux/sock_diag.h (Linux 4.5, with
	// CONFIG_INET_DIAG_DESTROY).
	sockDestroy = 21
	// states are those of a connection (linux/tcp_states.h): ESTABLISHED, SYN_SENT,
	// SYN_RECV, FIN_WAIT1, FIN_WAIT2, CLOSE_WAIT, LAST_ACK, CLOSING.
	states = 1<<1 | 1<<2 | 1<<3 | 1<<4 | 1<<5 | 1<<8 | 1<<9 | 1<<11
	// idLength is the length of inet_diag_sockid, idOffset where inet_diag_msg has it.
	idLength, idOffset = 48, 4
)

// ErrUnsupported says that the kernel closes no sockets of others.
var ErrUnsupported = errors.New("the kernel has no CONFIG_INET_DIAG_DESTROY")

// Sides says by which end of a connection it is looked for.
type Sides int

const (
	// Both is by either end being the VIP, which this host has.
	Both Sides = iota
	// Local is by this host's end: it has no such address any more.
	Local
)

// Close closes this host's TCP connections from a VIP, or to it: the peer, and whichever
// process has one, is told at once. It returns how many it closed until that time, if that
// is not zero. The error may wrap ErrUnsupported.
func Close(vip netip.Addr, sides Sides, until time.Time) (closed int, err error) {
	over := func() bool { return !until.IsZero() && !time.Now().Before(until) }
	all := []byte{unix.AF_INET6} // which has those of IPv4 too whose socket is for both
	if vip.Is4() {
		all = append(all, unix.AF_INET)
	}
	for _, family := range all {
		if over() {
			return closed, nil
		}
		bodies, err := request(unix.SOCK_DIAG_BY_FAMILY, unix.NLM_F_DUMP, family, nil)
		if err != nil {
			return closed, err
		}
		for _, body := range bodies {
			local, remote, ok := ends(body)
			if over() {
				return closed, nil
			}
			if !ok || local != vip && (sides == Local || remote != vip) {
				continue
			}
			_, err := request(sockDestroy, unix.NLM_F_ACK, family, body[idOffset:idOffset+idLength])
			switch {
			case errors.Is(err, unix.ENOENT): // it ended on its own
			case errors.Is(err, unix.EOPNOTSUPP):
				return closed, fmt.Errorf("%w: %w", err, ErrUnsupported)
			case err != nil:
				return closed, err
			default:
				closed++
			}
		}
	}
	return closed, nil
}

// ends returns the addresses of a connection, of an inet_diag_msg.
func ends(body []byte) (local, remote netip.Addr, ok bool) {
	if len(body) < idOffset+idLength {
		return local, remote, false
	}
	const source, destination = idOffset + 4, idOffset + 20
	length := 4
	if body[0] == unix.AF_INET6 {
		length = 16
	}
	local, _ = netip.AddrFromSlice(body[source : source+length])
	remote, _ = netip.AddrFromSlice(body[destination : destination+length])
	return local.Unmap(), remote.Unmap(), true
}

// question is an inet_diag_req_v2.
type question []byte

// Len implements nl.NetlinkRequestData.
func (q question) Len() int { return len(q) }

// Serialize implements nl.NetlinkRequestData.
func (q question) Serialize() []byte { return q }

func request(kind, flags int, family byte, id []byte) ([][]byte, error) {
	const statesOffset, idOffset = 4, 8
	q := make(question, idOffset+idLength)
	q[0], q[1] = family, unix.IPPROTO_TCP
	binary.NativeEndian.PutUint32(q[statesOffset:], states)
	copy(q[idOffset:], id)
	r := nl.NewNetlinkRequest(kind, flags)
	r.AddData(q)
	bodies, err := r.Execute(unix.NETLINK_INET_DIAG, 0)
	if err != nil && !errors.Is(err, nl.ErrDumpInterrupted) {
		return nil, fmt.Errorf("sock_diag: %w", err)
	}
	return bodies, nil
}
