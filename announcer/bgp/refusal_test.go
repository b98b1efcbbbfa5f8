package bgp

import (
	"bufio"
	"bytes"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	packet "github.com/osrg/gobgp/v4/pkg/packet/bgp"
)

func frame(kind uint8, body ...byte) []byte {
	b := append(bytes.Clone(marker), 0, byte(packet.BGP_HEADER_LENGTH+len(body)), kind)
	return append(b, body...)
}

// What a router may do wrong, and the words for it. Another session is up meanwhile, and
// stays.
func TestWhatIsWrongIsNamed(t *testing.T) {
	for _, tt := range []struct {
		name string
		// says is sent at once, then the router closes; established: after a session began.
		says        [][]byte
		established bool
		want        string
	}{
		{name: "another AS", says: [][]byte{rawOpen(t, 65099, 90, "10.255.0.2")}, want: "NOTIFICATION sent: OPEN Message Error, Bad Peer AS: expected 65010, the router's is 65099"},
		{name: "hold time", says: [][]byte{rawOpen(t, routerASN, 2, "10.255.0.2")}, want: "NOTIFICATION sent: OPEN Message Error, Unacceptable Hold Time: 2 s"},
		{name: "no identifier", says: [][]byte{rawOpen(t, routerASN, 90, "0.0.0.0")}, want: "NOTIFICATION sent: OPEN Message Error, Bad BGP Identifier: 0.0.0.0"},
		{name: "version", says: [][]byte{frame(1, 3, 0xfd, 0xf2, 0, 90, 10, 0, 0, 2, 0)}, want: "NOTIFICATION sent: OPEN Message Error, Unsupported Version Number: version 3"},
		{name: "an OPEN that is cut", says: [][]byte{frame(1, 4, 0xfd, 0xf2, 0, 90, 10, 0, 0, 2, 20)}, want: "NOTIFICATION sent: OPEN Message Error"},
		{name: "refused for the AS", says: [][]byte{frame(3, 2, 2, 0xfd, 0xe9)}, want: "NOTIFICATION received: OPEN Message Error, Bad Peer AS: the router expects another AS than this node's"},
		{name: "refused after OPEN", says: [][]byte{goodOpen(t), frame(3, 6, 5)}, want: "NOTIFICATION received: Cease, Connection Rejected"},
		{name: "shut down", says: [][]byte{frame(3, 6, 2, 4, 'l', 'u', 'n', 'c')}, established: true, want: `NOTIFICATION received: Cease, Administrative Shutdown: "lunc"`},
		{name: "an unknown NOTIFICATION", says: [][]byte{frame(3, 99, 98, 1, 2)}, established: true, want: "NOTIFICATION received: code 99, subcode 98: data 0102"},
		{name: "closed", want: "the router closed the connection in OpenSent: it may not know this node as a neighbor"},
		{name: "closed later", established: true, want: "the router closed the connection"},
		{name: "not BGP", says: [][]byte{[]byte("HTTP/1.1 400 Bad Request\r\n\r\n")}, want: "NOTIFICATION sent: Message Header Error, Connection Not Synchronized"},
		{name: "no marker", says: [][]byte{make([]byte, 100)}, established: true, want: "NOTIFICATION sent: Message Header Error, Connection Not Synchronized"},
		{name: "too short", says: [][]byte{append(bytes.Clone(marker), 0, 18, 4)}, established: true, want: "NOTIFICATION sent: Message Header Error, Bad Message Length: 18 bytes"},
		{name: "too long", says: [][]byte{append(bytes.Clone(marker), 0xff, 0xff, 2)}, established: true, want: "NOTIFICATION sent: Message Header Error, Bad Message Length: 65535 bytes"},
		{name: "unknown type", says: [][]byte{frame(9)}, established: true, want: "NOTIFICATION sent: Message Header Error, Bad Message Type: type 9"},
		{name: "UPDATE first", says: [][]byte{frame(2, 0, 0, 0, 0)}, want: "NOTIFICATION sent: Finite State Machine Error, Unexpected Message in OpenSent: type 2"},
		{name: "two OPENs", says: [][]byte{goodOpen(t), goodOpen(t)}, want: "NOTIFICATION sent: Finite State Machine Error, Unexpected Message in OpenConfirm: type 1"},
		{name: "an OPEN later", says: [][]byte{goodOpen(t)}, established: true, want: "NOTIFICATION sent: Finite State Machine Error, Unexpected Message in Established: type 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bad, good := newRaw(t), newRaw(t)
			p, q := bad.peer(t), good.peer(t)
			p.Name, p.ConnectTime, q.Name = "bad", time.Hour, "good"
			s := start(t, p, q)
			good.accept(t).establish(t)
			s.await(t, "good", "a session", up)
			c := bad.accept(t)
			if tt.established {
				c.establish(t)
				s.await(t, "bad", "a session", up)
			}
			c.write(t, tt.says...)
			must(t, c.Conn.(interface{ CloseWrite() error }).CloseWrite())
			n := s.await(t, "bad", "a reason", func(n Session) bool { return n.Reason != "" })
			if !strings.HasPrefix(n.Reason, tt.want) {
				t.Errorf("reason is %q, want %q", n.Reason, tt.want)
			}
			if n.State != Active {
				t.Errorf("state is %s", n.State)
			}
			if n := s.await(t, "good", "a session", up); n.Flaps != 0 {
				t.Errorf("the other session is %+v", n)
			}
		})
	}
}

// UPDATEs are not looked at: neither a malformed one nor a full table costs anything.
func TestUPDATEsAreOverlooked(t *testing.T) {
	raw := newRaw(t)
	s := start(t, raw.peer(t, route("203.0.113.1/32")))
	c := raw.accept(t)
	c.establish(t)
	for range 1000 {
		c.write(t, frame(2, 0xff, 0xff, 0xff, 0xff, 1, 2, 3), frame(2, 0, 0, 0, 4, 0xff, 0xff, 0xff, 0xff))
	}
	c.write(t, frame(5, 0, 1, 0, 1))
	// The ROUTE-REFRESH after them is answered: the route comes twice.
	for seen := 0; seen < 2; {
		if u, ok := c.read(t).Body.(*packet.BGPUpdate); ok && len(u.NLRI) == 1 {
			seen++
		}
	}
	if n := s.await(t, "router", "a session", up); n.Flaps != 0 {
		t.Errorf("session is %+v", n)
	}
}

func TestNobodyListens(t *testing.T) {
	raw := newRaw(t)
	p := raw.peer(t)
	must(t, raw.Close())
	start(t, p).await(t, "router", "a reason", because("connection refused"))
}

func TestNoSuchSource(t *testing.T) {
	p := newRaw(t).peer(t)
	p.SourceAddress = netip.MustParseAddr("192.0.2.99")
	start(t, p).await(t, "router", "a reason", because("the source address is not one of this node's"))
}

func TestASilentRouterIsGivenUp(t *testing.T) {
	raw := newRaw(t)
	p := raw.peer(t)
	p.HoldTime, p.KeepaliveTime, p.ConnectTime = 3*time.Second, time.Second, time.Hour
	s := start(t, p)
	c := raw.accept(t)
	c.establish(t)
	if got := c.notification(t); got.String() != "Hold Timer Expired" {
		t.Errorf("the router was told %s", got)
	}
	s.await(t, "router", "a reason", because("NOTIFICATION sent: Hold Timer Expired: the router was silent in Established"))
}

// The first session of a process says so, those that follow do not; the kernel forwards
// at all times.
func TestTheFirstSessionIsARestart(t *testing.T) {
	raw := newRaw(t)
	p := raw.peer(t)
	p.GracefulRestart = 120 * time.Second
	start(t, p)
	for i, flags := range []uint8{8, 0} {
		c := raw.accept(t)
		hello := c.establish(t)
		for _, capability := range hello.OptParams[0].(*packet.OptionParameterCapability).Capability {
			gr, ok := capability.(*packet.CapGracefulRestart)
			if !ok {
				continue
			}
			if gr.Flags != flags || gr.Time != 120 || len(gr.Tuples) != 2 || gr.Tuples[0].Flags != 0x80 || gr.Tuples[1].Flags != 0x80 {
				t.Errorf("session %d: %+v, tuples %+v %+v", i, gr, gr.Tuples[0], gr.Tuples[1])
			}
		}
		must(t, c.Close())
	}
}

func FuzzRead(f *testing.F) {
	f.Add(keepalive())
	f.Add(frame(3, 6, 2))
	f.Add(goodOpen(f))
	f.Fuzz(func(_ *testing.T, b []byte) {
		r := bufio.NewReaderSize(bytes.NewReader(b), packet.BGP_MAX_MESSAGE_LENGTH)
		for {
			m, err := read(r)
			if err != nil {
				return
			}
			switch m.kind {
			case packet.BGP_MSG_NOTIFICATION:
				_ = (&told{m.notification()}).Error()
			case packet.BGP_MSG_ROUTE_REFRESH:
				m.family()
			}
		}
	})
}

func FuzzMeet(f *testing.F) {
	f.Add(goodOpen(f)[packet.BGP_HEADER_LENGTH:])
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) < 10 || len(body) > 4077 {
			return
		}
		p := Peer{LocalASN: nodeASN, ASN: routerASN, RouterID: netip.MustParseAddr("10.255.0.1"), HoldTime: time.Minute}
		r, err := meet(p, message{kind: packet.BGP_MSG_OPEN, body: body})
		var refusal *refused
		switch {
		case err == nil && (r.asn != routerASN || r.hold > time.Minute):
			t.Errorf("accepted %+v", r)
		case err != nil && !errors.As(err, &refusal):
			t.Errorf("%v is not a refusal", err)
		}
	})
}
