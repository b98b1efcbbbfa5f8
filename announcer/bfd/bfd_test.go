package bfd

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/bfd/packet"
	"github.com/heraldlb/herald/announcer/l2/l2test"
	"github.com/heraldlb/herald/internal/datagram"
)

// Two ends see each other; when one is gone the other finds out in time.
func TestUpAndDown(t *testing.T) {
	for name, ends := range ends() {
		t.Run(name, func(t *testing.T) {
			p := newPair(t)
			a, b := run(t, "a", p.a, ends[0]), run(t, "b", p.b, ends[1])
			a.waitState(t, announcer.BFDUp)
			b.waitState(t, announcer.BFDUp)
			b.stop()
			stopped := time.Now()
			down := a.waitState(t, announcer.BFDDown)
			t.Logf("down %s after the end", down.Since.Sub(stopped))
			if down.Diagnostic != "Control Detection Time Expired" || down.Flaps != 1 {
				t.Errorf("%+v", down)
			}
			run(t, "b", p.b, ends[1]).waitState(t, announcer.BFDUp)
			a.waitState(t, announcer.BFDUp)
		})
	}
}

// Who leaves is not taken for dead.
func TestLeave(t *testing.T) {
	for name, ends := range ends() {
		t.Run(name, func(t *testing.T) {
			p := newPair(t)
			a, b := run(t, "a", p.a, ends[0]), run(t, "b", p.b, ends[1])
			a.waitState(t, announcer.BFDUp)
			b.waitState(t, announcer.BFDUp)
			b.Leave(t.Context())
			b.stop()
			if s := a.waitState(t, announcer.BFDAdminDown); s.Flaps != 0 {
				t.Errorf("%+v", s)
			}
			again := run(t, "b", p.b, ends[1])
			a.waitState(t, announcer.BFDUp)
			again.waitState(t, announcer.BFDUp)
			// So are peers that are no longer wanted.
			again.SetPeers(nil)
			a.waitState(t, announcer.BFDAdminDown)
			l2test.Poll(t, "the sockets to be closed", func() bool { return listening(t, p.b) == 0 })
			again.SetPeers([]announcer.BFDPeer{ends[1]})
			if s := a.waitState(t, announcer.BFDUp); s.Flaps != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// Nothing is opened, and nobody waited for, where there are no sessions.
func TestNobody(t *testing.T) {
	p := newPair(t)
	a := run(t, "a", p.a)
	if n := listening(t, p.a); n != 0 {
		t.Errorf("%d sockets", n)
	}
	ctx, stop := context.WithTimeout(t.Context(), l2test.Patience)
	defer stop()
	a.Leave(ctx)
	if ctx.Err() != nil {
		t.Error("left nobody in vain")
	}
}

// A change of the interval leaves the session Up, whichever way it goes, and so does one
// of other sessions.
func TestChange(t *testing.T) {
	p := newPair(t)
	ends := ends()["IPv4"]
	a, b := run(t, "a", p.a, ends[0]), run(t, "b", p.b, ends[1])
	up := a.waitState(t, announcer.BFDUp)
	b.waitState(t, announcer.BFDUp)
	for _, interval := range []time.Duration{200 * time.Millisecond, 20 * time.Millisecond, 100 * time.Millisecond} {
		ends[0].Interval, ends[0].Multiplier = interval, 5
		a.SetPeers([]announcer.BFDPeer{ends[0], peer("192.0.2.3")})
		received := b.sample("herald_bfd_packets_received_total", "")
		l2test.Poll(t, "packets", func() bool { return b.sample("herald_bfd_packets_received_total", "") > received+10 })
	}
	if s := a.Statuses()[0]; s != up {
		t.Errorf("%+v, want %+v", s, up)
	}
	if s := b.Statuses()[0]; s.State != announcer.BFDUp || s.Flaps != 0 {
		t.Errorf("%+v", s)
	}
	if n := a.sample("herald_bfd_sessions", string(announcer.BFDDown)); n != 1 {
		t.Errorf("%v sessions are down, want that with 192.0.2.3", n)
	}
}

// Where another daemon has the port, the status says so, until it has it no more.
func TestPortTaken(t *testing.T) {
	for name, ends := range ends() {
		t.Run(name, func(t *testing.T) {
			p := newPair(t)
			key := portKey{multihop: ends[0].Multihop, is4: ends[0].Address.Is4()}
			other, err := namespace{t, p.a}.listen(key)
			must(t, err)
			a, b := run(t, "a", p.a, ends[0]), run(t, "b", p.b, ends[1])
			a.wait(t, "the culprit", func(s announcer.BFDStatus) bool {
				return s.State == announcer.BFDDown && strings.Contains(s.Diagnostic, fmt.Sprintf("UDP port %d is taken", key.number()))
			})
			if all := a.Complaints(); len(all) != 1 || !strings.HasPrefix(all[0], "no BFD with "+ends[0].Address.String()+": UDP port") {
				t.Errorf("complaints: %q", all)
			}
			must(t, unix.Close(other))
			a.waitState(t, announcer.BFDUp)
			b.waitState(t, announcer.BFDUp)
			if all := a.Complaints(); len(all) != 0 {
				t.Errorf("complaints: %q", all)
			}
		})
	}
}

// So it is with a source address or an interface that is not there yet.
func TestNotThereYet(t *testing.T) {
	p := newPair(t)
	sourced, local := peer("192.0.2.2"), peer("fe80::2%late")
	sourced.Source = netip.MustParseAddr("192.0.2.9")
	a := run(t, "a", p.a, sourced, local)
	a.wait(t, "two faults", func(announcer.BFDStatus) bool {
		all := a.Statuses()
		return len(all) == 2 && strings.Contains(all[0].Diagnostic, "192.0.2.9") && strings.Contains(all[1].Diagnostic, "late")
	})
	run(t, "b", p.b, peer("192.0.2.9"))
	p.a.Address(t, "eth0", "192.0.2.9/24")
	a.waitState(t, announcer.BFDUp)
}

// An interface that is made anew has another index.
func TestInterfaceMadeAnew(t *testing.T) {
	p := newPair(t)
	ends := ends()["link-local"]
	a, b := run(t, "a", p.a, ends[0]), run(t, "b", p.b, ends[1])
	a.waitState(t, announcer.BFDUp)
	b.waitState(t, announcer.BFDUp)
	p.a.Delete(t, "eth0")
	l2test.Cable(t, p.a, "other", p.b, "unused") // it takes the indices
	l2test.Cable(t, p.a, "eth0", p.b, "eth0")
	p.a.Address(t, "eth0", "fe80::1/64")
	p.b.Address(t, "eth0", "fe80::2/64")
	lost := a.waitState(t, announcer.BFDDown)
	a.wait(t, "the other end", func(s announcer.BFDStatus) bool {
		return s.State == announcer.BFDUp && s.Since.After(lost.Since) && s.Flaps == 1
	})
}

// What is sent from beyond the link, to nobody, or is no BFD changes nothing.
func TestStrangers(t *testing.T) {
	p := newPair(t)
	ends := ends()["IPv4"]
	a, b := run(t, "a", p.a, ends[0], peer("2001:db8::9")), run(t, "b", p.b, ends[1])
	up := a.waitState(t, announcer.BFDUp)
	b.waitState(t, announcer.BFDUp)
	far := ends[0]
	far.Address, far.Multihop = netip.MustParseAddr("192.0.2.77"), true
	a.SetPeers([]announcer.BFDPeer{ends[0], far})
	a.mu.Lock()
	mine := a.entries[0].line.discriminator
	a.mu.Unlock()
	down := packet.Packet{State: packet.Down, My: 7, Your: mine, Multiplier: 3, DesiredMinTx: time.Second, RequiredMinRx: time.Second}
	for _, test := range []struct {
		drop    drop
		packet  []byte
		hops    int
		to      uint16
		comment string
	}{
		{hops, down.Append(nil), 254, singleHopPort, "from beyond the link"},
		{unknown, down.Append(nil), 255, multihopPort, "by the port of sessions that may come from anywhere"},
		{unknown, (&packet.Packet{State: packet.Down, My: 7, Your: mine + 1, Multiplier: 3}).Append(nil), 255, singleHopPort, "to nobody"},
		{drop(packet.Short), []byte("hello"), 255, singleHopPort, "no BFD"},
		{drop(packet.BadLength), make([]byte, 1000), 255, singleHopPort, "long"},
		{drop(packet.Authenticated), authenticated(down), 255, singleHopPort, "authenticated"},
	} {
		l2test.Poll(t, test.comment, func() bool {
			shoot(t, p.b, test.hops, netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), test.to), test.packet)
			return a.sample("herald_bfd_packet_drops_total", test.drop.label()) > 0
		})
	}
	if s := a.Statuses()[0]; s != up {
		t.Errorf("%+v, want %+v", s, up)
	}
}

func authenticated(p packet.Packet) []byte {
	b := p.Append(nil)
	b[1] |= 0x04
	b[3] += 2
	return append(b, 1, 2)
}

// shoot sends a datagram from a host.
func shoot(t testing.TB, h *l2test.Host, hops int, to netip.AddrPort, b []byte) {
	t.Helper()
	h.Do(t, func() error {
		fd, err := openSocket([]option{{"IP_TTL", unix.IPPROTO_IP, unix.IP_TTL, hops}}, netip.MustParseAddrPort("0.0.0.0:0"), 0)
		if err != nil {
			return err
		}
		address := datagram.NewAddress(to, 0)
		return errors.Join(datagram.Send(fd, b, &address), unix.Close(fd))
	})
}

// A flood of what is not valid takes down no session, and not the processor either.
func TestFlood(t *testing.T) {
	p := newPair(t)
	ends := ends()["IPv4"]
	a, b := run(t, "a", p.a, ends[0]), run(t, "b", p.b, ends[1])
	a.waitState(t, announcer.BFDUp)
	b.waitState(t, announcer.BFDUp)
	var fd int
	p.b.Do(t, func() (err error) {
		fd, err = openSocket([]option{{"IP_TTL", unix.IPPROTO_IP, unix.IP_TTL, 255}}, netip.MustParseAddrPort("0.0.0.0:0"), 0)
		return err
	})
	to := datagram.NewAddress(netip.MustParseAddrPort("192.0.2.1:3784"), 0)
	sent := 0
	for end := time.Now().Add(time.Second); time.Now().Before(end); sent++ {
		_ = datagram.Send(fd, make([]byte, packet.Size), &to)
	}
	must(t, unix.Close(fd))
	if s := a.Statuses()[0]; s.State != announcer.BFDUp || s.Flaps != 0 {
		t.Errorf("%+v", s)
	}
	t.Logf("%d datagrams, %v were read, %v suspensions", sent, a.sample("herald_bfd_packet_drops_total", ""), a.sample("herald_bfd_suspensions_total", ""))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
