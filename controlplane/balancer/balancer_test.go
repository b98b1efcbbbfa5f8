package balancer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/announcer/l2/l2test"
)

// Connections from the segment, from the holder itself and from a Pod on it go to
// all API servers alike.
func TestSpread(t *testing.T) {
	s := newSegment(t)
	_, stop := s.run(1, 2, 3, 4)
	s.settled(1, 2, 3, 4)
	const count = 100
	for family := range families {
		for what, h := range map[string]*l2test.Host{"the segment": s.client, "the holder": s.holder, "a Pod": s.pod} {
			counts := s.spread(h, family, count)
			t.Logf("%s from %s: %v", family, what, counts)
			for i := range 4 {
				// 25 are expected, with a standard deviation of 4.
				if got := counts[fmt.Sprintf("node-%d", i+1)]; got < 25-5*4 || got > 25+5*4 {
					t.Errorf("%s from %s: %v", family, what, counts)
				}
			}
		}
	}
	stop()
	if here(t) {
		t.Error("the table stays")
	}
}

// The local API server sees who asks it; the others see the holder's own address.
func TestSources(t *testing.T) {
	s := newSegment(t)
	s.run(1, 2)
	s.settled(1, 2)
	for family, f := range families {
		for what, c := range map[string]struct {
			host  *l2test.Host
			local netip.Addr
		}{
			"the segment": {s.client, addrOf(family, 50)},
			"the holder":  {s.holder, f.vip.Addr()},
			"a Pod":       {s.pod, f.pod.Addr()},
		} {
			want := map[string]netip.Addr{"node-1": c.local, "node-2": addrOf(family, 1)}
			for range 20 {
				name, from, err := s.ask(c.host, family)
				if err != nil || from.Addr() != want[name] {
					t.Errorf("%s from %s at %s: %s, want %s (%v)", family, what, name, from, want[name], err)
				}
			}
		}
	}
}

// A backend may be the client: what it sends itself goes by the holder.
func TestHairpin(t *testing.T) {
	s := newSegment(t)
	s.run(2, 3)
	s.settled(2, 3)
	for family := range families {
		if counts := s.spread(s.nodes[1].host, family, 50); len(counts) != 2 {
			t.Errorf("%s: %v", family, counts)
		}
	}
}

// Of a host that crashes, connections are reset as soon as that is found out, and
// new ones go elsewhere; those to others go on.
func TestCrash(t *testing.T) {
	s := newSegment(t)
	s.run(1, 2, 3)
	s.settled(1, 2, 3)
	var lost, kept []*stream
	for family := range families {
		for _, h := range []*l2test.Host{s.client, s.holder, s.pod} {
			kept = append(kept, s.streamTo(h, family, "node-1"), s.streamTo(h, family, "node-2"))
			lost = append(lost, s.streamTo(h, family, "node-3"))
		}
	}
	start := time.Now()
	s.sw.Down(t, "node-3")
	// Clients have nothing to say: they are told.
	for _, one := range lost {
		if err := one.hear(); !errors.Is(err, unix.ECONNRESET) {
			t.Errorf("on a connection to the host that crashed: %v", err)
		}
	}
	t.Logf("reset after %s", time.Since(start))
	s.settled(1, 2)
	for _, one := range kept {
		if err := one.echo(); err != nil {
			t.Error(err)
		}
	}
	s.sw.Up(t, "node-3")
	s.settled(1, 2, 3)
}

// An API server that says it is not ready gets no new connections, and keeps those
// it has.
func TestUnready(t *testing.T) {
	s := newSegment(t)
	s.run(1, 2, 3)
	s.settled(1, 2, 3)
	kept := s.streamTo(s.client, "IPv4", "node-3")
	s.nodes[2].unwell.Store(true)
	s.settled(1, 2)
	must(t, kept.echo())
	// If none is ready, the local one is asked.
	s.nodes[0].unwell.Store(true)
	s.nodes[1].unwell.Store(true)
	s.settled(1)
	must(t, kept.echo())
	for _, n := range s.nodes {
		n.unwell.Store(false)
	}
	s.settled(1, 2, 3)
}

// An API server that is killed gets no new connections, soon.
func TestKilledServer(t *testing.T) {
	s := newSegment(t)
	s.run(1, 2, 3)
	s.settled(1, 2, 3)
	start := time.Now()
	for family := range families {
		server := s.nodes[1].server[family]
		_ = server.Listener.Close()
		server.CloseClientConnections()
	}
	s.settled(1, 3)
	t.Logf("gone after %s", time.Since(start))
}

// No connection fails, and none breaks, while backends come and go.
func TestReplacements(t *testing.T) {
	s := newSegment(t)
	b, _ := s.run(1, 2, 3, 4)
	s.settled(1, 2, 3, 4)
	var streams []*stream
	for family := range families {
		for _, h := range []*l2test.Host{s.client, s.holder, s.pod} {
			for i := range 4 {
				streams = append(streams, s.streamTo(h, family, fmt.Sprintf("node-%d", i+1)))
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	var flood sync.WaitGroup
	var mu sync.Mutex
	asked := 0
	for family := range families {
		for _, h := range []*l2test.Host{s.client, s.holder, s.pod} {
			flood.Go(func() {
				for ctx.Err() == nil {
					if _, _, err := s.ask(h, family); err != nil {
						t.Error(family, err)
						return
					}
					mu.Lock()
					asked++
					mu.Unlock()
				}
			})
		}
	}
	sets := [][]int{{1, 2, 3, 4}, {2, 3}, {4}, {1}, {1, 3, 4}}
	for i := range 100 {
		b.SetBackends(s.backends(sets[i%len(sets)]...))
		must(t, streams[i%len(streams)].echo())
	}
	for _, one := range streams {
		must(t, one.echo())
	}
	cancel()
	flood.Wait()
	t.Logf("%d new connections during 100 replacements", asked)
}

// Rules are replaced in one step: no connection meets none.
func TestAtomic(t *testing.T) {
	s := newSegment(t)
	k, err := openKernel()
	must(t, err)
	defer k.close()
	defer func() { must(t, k.remove()) }()
	// Nobody answers on the frontend's port but by the rules.
	frontend := netip.AddrPortFrom(families["IPv4"].vip.Addr(), 443)
	sets := [][]netip.AddrPort{}
	for _, nodes := range [][]int{{2, 3, 4}, {2}, {3, 4}} {
		services := []netip.AddrPort{}
		for _, i := range nodes {
			services = append(services, netip.AddrPortFrom(addrOf("IPv4", i), port))
		}
		sets = append(sets, services)
	}
	must(t, k.put([]service{{frontend, sets[0]}}))
	ctx, cancel := context.WithCancel(t.Context())
	var flood sync.WaitGroup
	var asked atomic.Int64
	for range 4 {
		flood.Go(func() {
			s.client.Do(t, func() error {
				for ctx.Err() == nil {
					conn, err := (&net.Dialer{Timeout: 10 * time.Second}).Dial("tcp", frontend.String())
					if err != nil {
						return err
					}
					asked.Add(1)
					_ = conn.Close()
				}
				return nil
			})
		})
	}
	replaced := 0
	for asked.Load() < 5000 && !t.Failed() {
		must(t, k.put([]service{{frontend, sets[replaced%len(sets)]}}))
		replaced++
	}
	cancel()
	flood.Wait()
	t.Logf("%d connections during %d replacements", asked.Load(), replaced)
}

// A VIP that goes elsewhere leaves nothing, and what still comes is reset.
func TestFrontendGone(t *testing.T) {
	s := newSegment(t)
	b, _ := s.run(1, 2)
	s.settled(1, 2)
	one := s.streamTo(s.client, "IPv4", "node-2")
	b.SetFrontends(nil)
	s.settled(1)
	if err := one.echo(); !errors.Is(err, unix.ECONNRESET) {
		t.Error(err)
	}
	b.SetFrontends(frontends())
	s.settled(1, 2)
}

// A table that somebody deletes is put back.
func TestDeletedTable(t *testing.T) {
	s := newSegment(t)
	s.run(2, 3)
	s.settled(2, 3)
	k, err := openKernel()
	must(t, err)
	defer k.close()
	must(t, k.remove())
	s.settled(2, 3)
}

// A host that forwards nothing answers by itself.
func TestForwardingOff(t *testing.T) {
	s := newSegment(t)
	s.holder.Sysctl(t, "net/ipv4/ip_forward", "0")
	s.run(1, 2)
	l2test.Poll(t, "IPv6 to be balanced", func() bool {
		name, _, err := s.ask(s.client, "IPv6")
		return err == nil && name == "node-2"
	})
	if counts := s.spread(s.client, "IPv4", 50); counts["node-1"] != 50 {
		t.Errorf("%v", counts)
	}
	s.holder.Sysctl(t, "net/ipv4/ip_forward", "1")
	s.settled(1, 2)
}

// Strict filters of source addresses stop nothing.
func TestReversePathFilter(t *testing.T) {
	s := newSegment(t)
	s.holder.Sysctl(t, "net/ipv4/conf/all/rp_filter", "1")
	s.run(1, 2)
	s.settled(1, 2)
	for _, h := range []*l2test.Host{s.holder, s.pod} {
		if counts := s.spread(h, "IPv4", 50); len(counts) != 2 {
			t.Errorf("%v", counts)
		}
	}
}

// Who may not is told what it takes.
func TestNoRights(t *testing.T) {
	failed := make(chan error)
	go func() {
		// The thread ends with the goroutine, which never unlocks it.
		runtime.LockOSThread()
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		if err := unix.Capset(&header, &make([]unix.CapUserData, 2)[0]); err != nil {
			failed <- err
			return
		}
		failed <- New(Options{}).Run(t.Context())
	}()
	if err := <-failed; !errors.Is(err, unix.EPERM) || !strings.Contains(err.Error(), "NET_ADMIN") {
		t.Error(err)
	}
}

func BenchmarkReplace(b *testing.B) {
	for _, count := range []int{3, 5, 50} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			k, err := openKernel()
			must(b, err)
			defer k.close()
			defer func() { must(b, k.remove()) }()
			var services []service
			for family, f := range families {
				one := service{frontend: f.vip}
				for i := range count {
					one.targets = append(one.targets, netip.AddrPortFrom(addrOf(family, i+1), port))
				}
				services = append(services, one)
			}
			must(b, k.put(services))
			for b.Loop() {
				must(b, k.put(services))
			}
		})
	}
}
