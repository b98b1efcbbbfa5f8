package nodesocket

import (
	"net/netip"

	"github.com/heraldlb/herald/announcer"
)

// Version is the protocol that this package speaks. Peers of different
// versions refuse each other: both containers of a Pod come from one release.
const Version = 3

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

	// From the agent: kindSnapshot, several while More is set, then kindPut and
	// kindDelete; kindFacts at any time, several while More is set.
	kindSnapshot kind = "snapshot"
	kindPut      kind = "put"
	kindDelete   kind = "delete"
	kindFacts    kind = "facts"

	// From the announcer; kindSamples and kindView several while More is set.
	kindStatus  kind = "status"
	kindSamples kind = "samples"
	kindView    kind = "view"
)

// message is the body of a frame.
type message struct {
	Kind    kind `json:"kind"`
	Version int  `json:"version,omitempty"`
	Role    role `json:"role,omitempty"`
	// Error is the complaint of an announcer that is not healthy.
	Error       string                `json:"error,omitempty"`
	Candidacies []announcer.Candidacy `json:"candidacies,omitempty"`
	Addresses   []netip.Addr          `json:"addresses,omitempty"`
	// Facts and View hold in each message that continues another no more than
	// further Peers, Members, BFD and Unnumbered.
	Facts    *announcer.Facts   `json:"facts,omitempty"`
	Statuses []announcer.Status `json:"statuses,omitempty"`
	Samples  []announcer.Sample `json:"samples,omitempty"`
	View     *announcer.View    `json:"view,omitempty"`
	// More says that the next message of this kind continues this one.
	More bool `json:"more,omitempty"`
}
