package l2

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/heraldlb/herald/announcer"
)

// BenchmarkReplies compares, on the same veth and with the same asker, what the
// kernel answers for an address of its own and what we answer for one of 1,
// 1,000 and 100,000. "of-kernel" is our rate divided by the kernel's.
func BenchmarkReplies(b *testing.B) {
	for name, f := range families() {
		for _, size := range []int{1, 1000, 100_000} {
			b.Run(fmt.Sprintf("%s/%d", name, size), func(b *testing.B) { benchmarkReplies(b, f, size) })
		}
	}
}

func benchmarkReplies(b *testing.B, f segmentAddresses, size int) {
	here, client := segment(b)
	here.Address(b, "eth0", f.here, f.pool)
	client.Address(b, "eth0", f.client)
	from := netip.MustParsePrefix(f.client).Addr()
	kernel := newAsker(b, client, from, []netip.Addr{netip.MustParsePrefix(f.here).Addr()})
	vips := make([]netip.Addr, size)
	for i := range vips {
		vips[i] = nth(i+1000, from.Is6())
	}
	ours := newAsker(b, client, from, vips)

	// Turns of the kernel come before ours and after, while nobody else listens.
	// The fastest of each side counts: what else the machine does only slows.
	const turn, kernelTurns = 20_000, 5
	fastest := func(a *asker, before time.Duration) time.Duration {
		start := time.Now()
		a.ask(b, turn)
		return min(before, time.Since(start))
	}
	kernelTime, ourTime := time.Hour, time.Hour
	for range kernelTurns {
		kernelTime = fastest(kernel, kernelTime)
	}
	a := announceAll(b, vips)
	ours.ask(b, window)
	for b.Loop() {
		ourTime = fastest(ours, ourTime)
	}
	a.stop()
	for range kernelTurns {
		kernelTime = fastest(kernel, kernelTime)
	}

	b.ReportMetric(turn/ourTime.Seconds(), "replies/s")
	b.ReportMetric(turn/kernelTime.Seconds(), "kernel-replies/s")
	b.ReportMetric(kernelTime.Seconds()/ourTime.Seconds(), "of-kernel")
	b.ReportMetric(0, "ns/op")
	if ourTime > 2*kernelTime {
		b.Error("less than half of the kernel's rate")
	}
}

// announceAll runs an announcer that has announced all addresses.
func announceAll(t testing.TB, addrs []netip.Addr) *fixture {
	t.Helper()
	timing := DefaultTiming()
	timing.Rate, timing.Burst, timing.Repeats = 1e6, len(addrs), nil
	a := run(t, timing)
	all := make([]announcer.Announcement, len(addrs))
	for i, addr := range addrs {
		all[i].Address = addr
	}
	a.Put(all...)
	for _, addr := range addrs {
		a.waitState(t, addr, announcer.Announced)
	}
	return a
}

// BenchmarkPut is the time from Put until a neighbour has the announcement,
// without a probe before it and with one.
func BenchmarkPut(b *testing.B) {
	for name, f := range families() {
		for _, probe := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/probe=%v", name, probe), func(b *testing.B) {
				here, client := segment(b)
				here.Address(b, "eth0", f.pool)
				mac, tap := here.MAC(b, "eth0"), tap(b, client, f.vip)
				a := run(b, DefaultTiming())
				a.announce(b, nth(999, f.vip.Is6()))
				for i := 1000; b.Loop(); i++ {
					addr := nth(i, f.vip.Is6())
					a.Put(announcer.Announcement{Address: addr, Probe: probe})
					waitClaim(b, tap, addr, mac)
				}
			})
		}
	}
}
