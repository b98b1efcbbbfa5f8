package bfd

import (
	"net/netip"
	"sync/atomic"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/bfd/packet"
	"github.com/heraldlb/herald/internal/realtime"
)

// drop is why a packet is not taken: a packet.Reason, or one of those below.
type drop uint8

const taken = drop(packet.Accepted)

const (
	// hops: it came with another hop limit than 255, so its sender is not on the link
	// (RFC 5881 section 5).
	hops = drop(packet.Reasons) + iota
	// unknown: it is of no session.
	unknown
	// unsent: the kernel did not take it.
	unsent
	drops
)

// label is that of metrics.
func (d drop) label() string {
	if d < hops {
		return packet.Reason(d).Label()
	}
	return [...]string{"hop-limit", "unknown", "unsent"}[d-hops]
}

// help says what is wrong.
func (d drop) help() string {
	switch d {
	case hops:
		return "its sender is not on the link: is it a multihop session?"
	case unknown:
		return "no such session is configured here"
	case unsent:
		return "the kernel did not take it: is there a route, and the source address?"
	case drop(packet.Authenticated):
		return "the router authenticates BFD, which is not supported"
	default:
		return "it is not valid"
	}
}

// suspension is why silence was not held against anybody.
type suspension uint8

const (
	byTimer suspension = iota
	byOverflow
	suspensions
)

// counters are all that is counted. The thread counts, anybody reads.
type counters struct {
	sent, received atomic.Uint64
	drops          [drops]atomic.Uint64
	suspensions    [suspensions]atomic.Uint64
	// timer is by how much the thread woke too late.
	timer realtime.Delays
	// flaps are those of sessions that are no more.
	flaps atomic.Uint64
}

func (c *counters) samples() []announcer.Sample {
	all := []announcer.Sample{
		{Metric: "herald_bfd_packets_sent_total", Value: float64(c.sent.Load())},
		{Metric: "herald_bfd_packets_received_total", Value: float64(c.received.Load())},
		{Metric: "herald_bfd_timer_lateness_seconds", Histogram: c.timer.Histogram()},
	}
	for d := taken + 1; d < drops; d++ {
		all = append(all, announcer.Sample{Metric: "herald_bfd_packet_drops_total", Reason: d.label(), Value: float64(c.drops[d].Load())})
	}
	for s, reason := range [...]string{"timer", "overflow"} {
		all = append(all, announcer.Sample{Metric: "herald_bfd_suspensions_total", Reason: reason, Value: float64(c.suspensions[s].Load())})
	}
	return all
}

// note is the last packet that was dropped for a reason, for the log. The thread writes
// it while it is not full; the desk empties it.
type note struct {
	full   atomic.Bool
	router netip.AddrPort
}

func (t *thread) note(why drop, router netip.AddrPort) {
	t.counts.drops[why].Add(1)
	if n := &t.notes[why]; !n.full.Load() {
		n.router = router
		n.full.Store(true)
	}
}
