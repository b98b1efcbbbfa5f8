package nodesocket

import (
	"net/netip"
	"time"

	"github.com/heraldlb/herald/announcer"
)

// MaxAddresses bounds the candidacies that either side accepts, MaxPeers the
// addresses of other nodes, MaxBackends the API servers behind a VIP, MaxBFD the routers
// that are watched, MaxUnnumbered the interfaces with one that learns this node's address.
const (
	MaxAddresses  = 1 << 18
	MaxPeers      = 1 << 14
	MaxBackends   = 64
	MaxBFD        = 64
	MaxUnnumbered = 64
)

// The bounds of what announcer.BFDPeer says.
const (
	MinBFDInterval   = 10 * time.Millisecond
	MaxBFDInterval   = 10 * time.Second
	MinBFDMultiplier = 2
)

const (
	// maxName bounds a node's name (RFC 1123 section 2.1) and other words.
	maxName = 253
	// maxInterfaces bounds the interfaces told of one status.
	maxInterfaces = 16
	// maxComplaints bounds the complaints of a view.
	maxComplaints = 16
	// maxDiagnostic bounds the text of a BFD session, in bytes.
	maxDiagnostic = 128
	// maxAllSamples and maxMembers bound the samples of one beat and the members
	// of one view, in however many frames.
	maxAllSamples = 1 << 14
	maxMembers    = 1 << 14
)

// room is how many bytes of items a frame holds, each as long as the functions
// below say at most; the rest of MaxFrame is for what is around them.
const room = MaxFrame - 8<<10

// worst is how many bytes of JSON one byte of text takes at most: \u003c.
const worst = 6

const addressBytes = len(`"2001:1111:2222:3333:4444:5555:6666:7777",`)

func candidacyBytes(c announcer.Candidacy) int {
	n := len(`{"address":,"interface":"","probe":true,"eligible":false,"hosts":[],"until":-9223372036854775808},`) + addressBytes + worst*len(c.Interface)
	for _, host := range c.Hosts {
		n += len(host) + len(`"",`)
	}
	return n
}

func statusBytes(s announcer.Status) int {
	n := 256 + addressBytes + len(s.Owner)*worst + 3*len(s.Stranger)
	for _, name := range s.Interfaces {
		n += len(name)*worst + len(`"",`)
	}
	return n
}

func sampleBytes(s announcer.Sample) int {
	n := 160 + worst*(len(s.Metric)+len(s.Interface)+len(s.Family)+len(s.Reason)+len(s.State))
	if s.Histogram != nil {
		n += 96 + 64*len(s.Histogram.Buckets)
	}
	return n
}

func memberBytes(m announcer.Member) int {
	return 384 + addressBytes + worst*(len(m.Node)+len(m.Interface)+len(m.State))
}

func peerBytes(netip.Addr) int { return addressBytes }

// fit returns how many of the first items fit into a frame; one always does.
func fit[V any](items []V, bytes func(V) int) int {
	left := room
	for i, item := range items {
		if left -= bytes(item); left < 0 && i > 0 {
			return i
		}
	}
	return len(items)
}

// parts cuts items so that each part fits into a frame. There is one at least.
func parts[V any](items []V, bytes func(V) int) [][]V {
	var all [][]V
	for n := fit(items, bytes); n < len(items); n = fit(items, bytes) {
		all, items = append(all, items[:n]), items[n:]
	}
	return append(all, items)
}
