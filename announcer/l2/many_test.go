package l2

import (
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/l2/frame"
	"github.com/heraldlb/herald/announcer/l2/link"
)

// Ten thousand addresses are told at once, all of them, no faster than the
// limiter allows, and answered for.
func TestTenThousand(t *testing.T) {
	const count = 10_000
	for name, f := range families() {
		t.Run(name, func(t *testing.T) {
			here, client := segment(t)
			here.Address(t, "eth0", f.pool)
			client.Address(t, "eth0", f.client)
			us := here.MAC(t, "eth0")
			tap := tap(t, client, f.vip)
			a := run(t, DefaultTiming())
			var all []announcer.Announcement
			missing := make(map[netip.Addr]bool, count)
			for i := range count {
				all = append(all, announcer.Announcement{Address: nth(i+1000, f.vip.Is6())})
				missing[all[i].Address] = true
			}
			start := time.Now()
			a.Put(all...)
			tap.Wait(t, "all announcements", func(b []byte) bool {
				var m frame.Message
				if speakerOf(f.vip).Parse(b, &m) == frame.None && m.From == us {
					delete(missing, m.Uses)
				}
				return len(missing) == 0
			})
			// The burst comes at once, the rest at the rate.
			timing := DefaultTiming()
			least := time.Duration((count - float64(timing.Burst)) / timing.Rate * float64(time.Second))
			if took := time.Since(start); took < least {
				t.Errorf("announced in %s, want at least %s", took, least)
			}
			asker := newAsker(t, client, clientAddress(f.vip), addresses(all))
			asker.ask(t, count)
		})
	}
}

// An address that is new does not wait for those of a snapshot.
func TestFreshBeforeSnapshot(t *testing.T) {
	a := New(DefaultTiming(), slog.New(slog.DiscardHandler))
	l, now := newLoop(a, reporterFunc(func(announcer.Status) {})), time.Now()
	l.engine.setInterfaces(now, []link.Interface{{Name: "eth0", Up: true, Epoch: 1, Prefixes: prefixes([]string{"10.0.0.0/8"})}})
	var snapshot []announcer.Announcement
	for i := range 20_000 {
		snapshot = append(snapshot, announcer.Announcement{Address: nth(i+1, false)})
	}
	a.Put(snapshot...)
	l.order(now, a.inbox.take())
	l.engine.advance(now)
	l.engine.take()
	fresh := announcer.Announcement{Address: nth(65536, false), Probe: true}
	a.Put(fresh)
	l.order(now, a.inbox.take())
	later := now.Add(time.Millisecond)
	l.engine.advance(later)
	frames := l.engine.take().frames
	if len(frames) == 0 || frames[0].kind != sendProbe || frames[0].addr != fresh.Address {
		t.Errorf("%d frames a millisecond later, the first not a probe for %s", len(frames), fresh.Address)
	}
}

func addresses(all []announcer.Announcement) (addrs []netip.Addr) {
	for _, a := range all {
		addrs = append(addrs, a.Address)
	}
	return addrs
}

// A frame costs no allocation, whether it is for us or not.
func TestHandleAllocations(t *testing.T) {
	for name, f := range families() {
		t.Run(name, func(t *testing.T) {
			r := newResponder(speakerOf(f.vip), frame.MAC{2, 0, 0, 0, 0, 1}, 1, new(counters), newSightings())
			r.owned.Store(new(owned).with(map[netip.Addr]role{f.vip: answered}))
			hit := question(t, frame.MAC{2, 0, 0, 0, 0, 9}, clientAddress(f.vip), f.vip)
			miss := question(t, frame.MAC{2, 0, 0, 0, 0, 9}, clientAddress(f.vip), f.vip.Next())
			for name, b := range map[string][]byte{"hit": hit, "miss": miss, "garbage": hit[:20]} {
				allocs := testing.AllocsPerRun(1000, func() {
					r.got, r.rx.headers[0].length = 1, uint32(copy(r.rx.buffer(0), b))
					r.answer()
				})
				if allocs != 0 {
					t.Errorf("%s: %v allocations, want 0", name, allocs)
				}
				if want := map[string]int{"hit": 1}[name]; r.queued != want {
					t.Errorf("%s: %d replies, want %d", name, r.queued, want)
				}
			}
		})
	}
}

// BenchmarkHandle is the way of a frame through the responder, without the
// system calls.
func BenchmarkHandle(b *testing.B) {
	for name, f := range families() {
		for what, target := range map[string]netip.Addr{"hit": f.vip, "miss": f.vip.Next()} {
			b.Run(name+"/"+what, func(b *testing.B) {
				r := newResponder(speakerOf(f.vip), frame.MAC{2, 0, 0, 0, 0, 1}, 1, new(counters), newSightings())
				r.owned.Store(new(owned).with(map[netip.Addr]role{f.vip: answered}))
				request := question(b, frame.MAC{2, 0, 0, 0, 0, 9}, clientAddress(f.vip), target)
				r.got, r.rx.headers[0].length = 1, uint32(copy(r.rx.buffer(0), request))
				b.ReportAllocs()
				for b.Loop() {
					r.answer()
				}
			})
		}
	}
}
