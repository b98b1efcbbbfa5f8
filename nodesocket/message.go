package nodesocket

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/heraldlb/herald/announcer"
)

// Version is the protocol that this package speaks. Peers of different
// versions refuse each other: both containers of a Pod come from one release.
const Version = 1

// MaxAddresses bounds the announcements that either side accepts.
const MaxAddresses = 1 << 18

// Items in one frame, so few that no frame of valid items outgrows MaxFrame.
const (
	maxPuts     = 256
	maxStatuses = 32
	maxSamples  = 64
	// maxInterfaces bounds the interfaces told of one status.
	maxInterfaces = 16
	// maxAllSamples bounds the samples of one beat, in however many frames.
	maxAllSamples = 1 << 14
)

// role tells in a hello who speaks.
type role string

const (
	roleAgent     role = "agent"
	roleAnnouncer role = "announcer"
	roleProbe     role = "probe"
)

// kind tells what a message is.
type kind string

const (
	// kindHello comes first, from both sides.
	kindHello kind = "hello"
	// kindHealth answers the hello of a probe.
	kindHealth kind = "health"
	// kindPing says that the sender lives.
	kindPing kind = "ping"

	// From the agent: kindSnapshot, several while More is set, then the others.
	kindSnapshot kind = "snapshot"
	kindPut      kind = "put"
	kindDelete   kind = "delete"

	// From the announcer.
	kindStatus  kind = "status"
	kindSamples kind = "samples"
)

// message is the body of a frame.
type message struct {
	Kind    kind `json:"kind"`
	Version int  `json:"version,omitempty"`
	Role    role `json:"role,omitempty"`
	// Error is the complaint of an announcer that is not healthy.
	Error         string                   `json:"error,omitempty"`
	Announcements []announcer.Announcement `json:"announcements,omitempty"`
	Addresses     []netip.Addr             `json:"addresses,omitempty"`
	Statuses      []announcer.Status       `json:"statuses,omitempty"`
	Samples       []announcer.Sample       `json:"samples,omitempty"`
	// More says that the next message of this kind continues this one.
	More bool `json:"more,omitempty"`
}

// ErrInvalid is wrapped by errors about an announcement that no announcer
// could carry out.
var ErrInvalid = errors.New("invalid announcement")

// Validate returns an error that wraps ErrInvalid unless a's address is
// unicast, without zone and not IPv4-mapped, and its interface is empty or a
// name that Linux accepts.
func Validate(a announcer.Announcement) error {
	switch addr := a.Address; {
	case !addr.IsValid():
		return fmt.Errorf("%w: no address", ErrInvalid)
	case addr.Zone() != "":
		return fmt.Errorf("%w: %q has a zone", ErrInvalid, addr)
	case addr.Is4In6():
		return fmt.Errorf("%w: %s is IPv4-mapped", ErrInvalid, addr)
	case addr.IsUnspecified(), addr.IsMulticast(), addr.IsLoopback(), addr == broadcast():
		return fmt.Errorf("%w: %s is not a unicast address of a segment", ErrInvalid, addr)
	case !validInterface(a.Interface):
		return fmt.Errorf("%w: %.32q of %s is not an interface name", ErrInvalid, a.Interface, addr)
	}
	return nil
}

func broadcast() netip.Addr { return netip.AddrFrom4([4]byte{255, 255, 255, 255}) }

// validInterface follows dev_valid_name of Linux: at most IFNAMSIZ-1 bytes.
func validInterface(name string) bool {
	for i := range len(name) {
		// By byte, as the kernel does: 0xa0 is a space to it.
		if strings.IndexByte("/: \t\n\v\f\r\xa0\x00", name[i]) >= 0 {
			return false
		}
	}
	return len(name) <= 15 && name != "." && name != ".."
}
