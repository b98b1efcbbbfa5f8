package membership

import (
	"encoding/binary"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/announcer/l2/l2test"
	"github.com/heraldlb/herald/election"
	"github.com/heraldlb/herald/internal/datagram"
	"github.com/heraldlb/herald/membership/wire"
)

// The tests of this file have datagrams on the segment that no announcer sent.

// stranger sends datagrams from a host.
type stranger struct {
	fd     int
	to     datagram.Address
	raw    bool
	sealer *wire.Sealer
}

// newStranger opens the socket that an announcer would.
func newStranger(t testing.TB, h *l2test.Host) *stranger {
	t.Helper()
	index := h.Link(t, "eth0").Attrs().Index
	s := &stranger{sealer: wire.NewSealer(wire.ClusterOf(""), nil)}
	h.Do(t, func() (err error) {
		s.fd, err = openSocket(socketOf{link: index, name: "eth0", is4: true, port: wire.Port})
		return err
	})
	t.Cleanup(func() { must(t, unix.Close(s.fd)) })
	s.to = datagram.NewAddress(netip.AddrPortFrom(group4(), wire.Port), index)
	return s
}

// newSpoofer opens a socket that sends with any source, by IPv4.
func newSpoofer(t testing.TB, h *l2test.Host, source netip.Addr) *stranger {
	t.Helper()
	index := h.Link(t, "eth0").Attrs().Index
	s := &stranger{sealer: wire.NewSealer(wire.ClusterOf(""), nil), raw: true}
	h.Do(t, func() (err error) {
		s.fd, err = unix.Socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_RAW)
		if err != nil {
			return err
		}
		request := &unix.IPMreqn{Address: source.As4(), Ifindex: int32(index)}
		return unix.SetsockoptIPMreqn(s.fd, unix.IPPROTO_IP, unix.IP_MULTICAST_IF, request)
	})
	t.Cleanup(func() { must(t, unix.Close(s.fd)) })
	s.to = datagram.NewAddress(netip.AddrPortFrom(group4(), 0), index)
	return s
}

// packet4 is a datagram to the group, with the headers of IP and UDP.
func packet4(source netip.Addr, data []byte) []byte {
	p := make([]byte, 28, 28+len(data))
	p[0], p[8], p[9] = 0x45, wire.HopLimit, unix.IPPROTO_UDP // the kernel fills in length and checksum
	from, to := source.As4(), group4().As4()
	copy(p[12:], from[:])
	copy(p[16:], to[:])
	binary.BigEndian.PutUint16(p[20:], wire.Port)
	binary.BigEndian.PutUint16(p[22:], wire.Port)
	binary.BigEndian.PutUint16(p[24:], uint16(8+len(data)))
	return append(p, data...)
}

func (s *stranger) send(t testing.TB, b []byte) {
	t.Helper()
	must(t, datagram.Send(s.fd, b, &s.to))
}

// heartbeat is one of a node.
func (s *stranger) heartbeat(t testing.TB, id election.ID, sequence uint64) []byte {
	t.Helper()
	b, err := s.sealer.AppendHeartbeat(nil,
		&wire.Header{Incarnation: id.Incarnation, Sequence: sequence, Name: []byte(id.Node)},
		&wire.Heartbeat{Interval: time.Minute, Multiplier: 4})
	must(t, err)
	return b
}

// waitDrop waits until a datagram was dropped for a reason.
func (s *station) waitDrop(t testing.TB, reason string) {
	t.Helper()
	l2test.Poll(t, "a datagram dropped for "+reason, func() bool { return s.sample("herald_heartbeat_drops_total", reason) > 0 })
}

// What does not come from an announcer on the link is dropped, and counted by
// reason.
func TestDropped(t *testing.T) {
	tests := map[string]struct {
		reason string
		send   func(t *testing.T, s *stranger)
	}{
		"hop limit": {"hop-limit", func(t *testing.T, s *stranger) {
			must(t, unix.SetsockoptInt(s.fd, unix.IPPROTO_IP, unix.IP_MULTICAST_TTL, 254))
			s.send(t, s.heartbeat(t, election.ID{Node: "x", Incarnation: 1}, 1))
		}},
		"no heartbeat": {"magic", func(t *testing.T, s *stranger) { s.send(t, []byte("hello, world")) }},
		"too long":     {"oversized", func(t *testing.T, s *stranger) { s.send(t, make([]byte, 1401)) }},
		"too short": {"truncated", func(t *testing.T, s *stranger) {
			s.send(t, s.heartbeat(t, election.ID{Node: "x", Incarnation: 1}, 1)[:40])
		}},
		"another cluster": {"cluster", func(t *testing.T, s *stranger) {
			s.sealer = wire.NewSealer(wire.ClusterOf("another"), nil)
			s.send(t, s.heartbeat(t, election.ID{Node: "x", Incarnation: 1}, 1))
		}},
		"a key": {"keyed", func(t *testing.T, s *stranger) {
			s.sealer = wire.NewSealer(wire.ClusterOf(""), key('k'))
			s.send(t, s.heartbeat(t, election.ID{Node: "x", Incarnation: 1}, 1))
		}},
		"claims of nobody": {"unknown", func(t *testing.T, s *stranger) {
			b, err := s.sealer.AppendClaims(nil, &wire.Header{Incarnation: 1, Sequence: 1, Name: []byte("x")}, &election.Message{Kind: election.Request})
			must(t, err)
			s.send(t, b)
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t)
			a, s := run(t, n.host(t, v4), fast("a")), newStranger(t, n.host(t, v4))
			a.waitSent(t)
			test.send(t, s)
			a.waitDrop(t, test.reason)
			if a.sample("herald_members", "Alive") != 0 {
				t.Errorf("members: %v", a.View().Members)
			}
		})
	}
}

// waitSent waits until heartbeats are sent, so that others are heard too.
func (s *station) waitSent(t testing.TB) {
	t.Helper()
	l2test.Poll(t, "heartbeats", func() bool { return s.sample("herald_heartbeats_sent_total", "") > 0 })
}

// A host whose address is not on-link is not heard if there is no key.
func TestOffLink(t *testing.T) {
	n := newNetwork(t)
	a, other := run(t, n.host(t, v4), fast("a")), n.host(t)
	other.Address(t, "eth0", "198.51.100.2/24")
	a.waitSent(t)
	s := newStranger(t, other)
	s.send(t, s.heartbeat(t, election.ID{Node: "x", Incarnation: 1}, 1))
	a.waitDrop(t, "off-link")
}

func key(c byte) []byte { return []byte(strings.Repeat(string(c), 32)) }

// keyDirectory makes a directory with keys.
func keyDirectory(t testing.TB, keys map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, k := range keys {
		must(t, os.WriteFile(filepath.Join(dir, name), k, 0o600))
	}
	return dir
}

// Who has the key is heard, and nobody else.
func TestKeys(t *testing.T) {
	n := newNetwork(t)
	dir := keyDirectory(t, map[string][]byte{"current": key('1')})
	keyed := func(node, dir string) Options { o := fast(node); o.KeyDirectory = dir; return o }
	a, b := run(t, n.host(t, v4, v6), keyed("a", dir)), run(t, n.host(t, v4, v6), keyed("b", dir))
	a.waitJoined(t, "b")
	b.waitJoined(t, "a")
	other := keyDirectory(t, map[string][]byte{"current": key('2'), "previous": key('3')})
	c := run(t, n.host(t, v4, v6), keyed("c", other))
	d := run(t, n.host(t, v4, v6), fast("d"))
	a.waitDrop(t, "forged")
	a.waitDrop(t, "unkeyed")
	c.waitDrop(t, "forged")
	d.waitDrop(t, "keyed")

	// c gets the key, beside those that it has, and is heard when it seals with it.
	must(t, os.WriteFile(filepath.Join(other, "previous"), key('1'), 0o600))
	c.waitJoined(t, "a")
	must(t, os.WriteFile(filepath.Join(other, "current"), key('1'), 0o600))
	a.waitJoined(t, "c")

	// A key that is none changes nothing, but for the complaint.
	must(t, os.WriteFile(filepath.Join(other, "current"), []byte("short"), 0o600))
	l2test.Poll(t, "a complaint", func() bool {
		return strings.Contains(strings.Join(c.View().Complaints, ""), filepath.Join(other, "current"))
	})
	a.nobodyGone(t)
	if !c.View().Keyed {
		t.Error("c has no key")
	}
}

// What was recorded of a node does not keep it alive, and does not bring it back.
func TestReplay(t *testing.T) {
	n := newNetwork(t)
	hostB := n.host(t, v4)
	a, b := run(t, n.host(t, v4), fast("a")), run(t, hostB, fast("b"))
	a.waitJoined(t, "b")
	recorded := newStranger(t, n.host(t, v4)).record(t, b.ID())
	b.stop()
	a.waitGone(t, "b")
	spoofer := newSpoofer(t, n.host(t, v4), netip.MustParseAddr("192.0.2.3"))
	for range 3 {
		spoofer.send(t, packet4(netip.MustParseAddr("192.0.2.1"), recorded))
	}
	a.waitDrop(t, "replayed")
	if a.sample("herald_members", "Alive") != 0 {
		t.Errorf("members: %v", a.View().Members)
	}
}

// record returns a heartbeat of a node that was followed by another.
func (s *stranger) record(t testing.TB, id election.ID) []byte {
	t.Helper()
	batch, opener := datagram.NewBatch(wire.MaxDatagram), wire.NewOpener(wire.ClusterOf(""))
	var found []byte
	l2test.Poll(t, "heartbeats of "+id.Node, func() bool {
		count, err := batch.Receive(s.fd, 0)
		for i := range count {
			d := batch.Datagram(i)
			opened, reason := opener.Open(d.Data)
			if err == nil && reason == wire.Accepted && string(opened.Name) == id.Node {
				if found != nil {
					return true
				}
				found = append([]byte(nil), d.Data...)
			}
		}
		return false
	})
	return found
}
