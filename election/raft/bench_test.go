package raft

import (
	"slices"
	"testing"
	"time"
)

// followsOther is logged by nodes that do not lead.
const followsOther = "follows another node"

// From when the holder is killed until another holds the VIP.
func BenchmarkTakeOver(b *testing.B) {
	n := newNodes(b, false)
	for name := range n.options {
		n.start(name)
	}
	var all []time.Duration
	follows := 0
	for b.Loop() {
		holder := n.holder("a", "b", "c")
		// The one that was elected last, or the first, and the one that was started.
		follows += 2
		n.says(followsOther, follows)
		n.kill(holder)
		start := time.Now()
		n.holder(others(holder)...)
		all = append(all, time.Since(start))
		n.start(holder)
	}
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)/2].Milliseconds()), "p50-ms")
	b.ReportMetric(float64(all[len(all)*99/100].Milliseconds()), "p99-ms")
	b.ReportMetric(float64(all[len(all)-1].Milliseconds()), "max-ms")
	b.ReportMetric(0, "ns/op")
}
