package bgp

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"time"

	packet "github.com/osrg/gobgp/v4/pkg/packet/bgp"
)

// raw is a router that says what a test has it say.
type raw struct {
	*net.TCPListener
}

func newRaw(t testing.TB) *raw {
	t.Helper()
	l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: router4.AsSlice()})
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return &raw{l}
}

// peer is the router as this node has it configured.
func (r *raw) peer(t testing.TB, routes ...Route) Peer {
	t.Helper()
	return peer(&gobgp{port: r.Addr().(*net.TCPAddr).AddrPort().Port()}, router4, node, routes...)
}

func (r *raw) accept(t testing.TB) *rawConn {
	t.Helper()
	must(t, r.SetDeadline(time.Now().Add(30*time.Second)))
	c, err := r.Accept()
	must(t, err)
	t.Cleanup(func() { _ = c.Close() })
	must(t, c.SetDeadline(time.Now().Add(30*time.Second)))
	return &rawConn{Conn: c, r: bufio.NewReader(c)}
}

type rawConn struct {
	net.Conn
	r *bufio.Reader
}

// rawOpen is the router's OPEN, good as it is.
func rawOpen(t testing.TB, asn uint16, hold uint16, id string, capabilities ...packet.ParameterCapabilityInterface) []byte {
	t.Helper()
	m, err := packet.NewBGPOpenMessage(asn, hold, netip.MustParseAddr(id), []packet.OptionParameterInterface{packet.NewOptionParameterCapability(capabilities)})
	must(t, err)
	b, err := m.Serialize()
	must(t, err)
	return b
}

func goodOpen(t testing.TB) []byte {
	return rawOpen(t, routerASN, 90, "10.255.0.2", packet.NewCapMultiProtocol(packet.RF_IPv4_UC), packet.NewCapMultiProtocol(packet.RF_IPv6_UC),
		packet.NewCapFourOctetASNumber(routerASN), packet.NewCapGracefulRestart(false, false, 60, nil))
}

func (c *rawConn) write(t testing.TB, b ...[]byte) {
	t.Helper()
	if _, err := c.Write(bytes.Join(b, nil)); err != nil {
		t.Fatal(err)
	}
}

// establish comes to a session.
func (c *rawConn) establish(t testing.TB) *packet.BGPOpen {
	t.Helper()
	c.write(t, goodOpen(t), keepalive())
	hello := c.read(t).Body.(*packet.BGPOpen)
	if m := c.read(t); m.Header.Type != packet.BGP_MSG_KEEPALIVE {
		t.Fatalf("after OPEN comes %+v", m)
	}
	return hello
}

func (c *rawConn) read(t testing.TB) *packet.BGPMessage {
	t.Helper()
	header := make([]byte, packet.BGP_HEADER_LENGTH)
	_, err := io.ReadFull(c.r, header)
	must(t, err)
	whole := make([]byte, binary.BigEndian.Uint16(header[16:]))
	copy(whole, header)
	_, err = io.ReadFull(c.r, whole[len(header):])
	must(t, err)
	m, err := packet.ParseBGPMessage(whole)
	must(t, err)
	return m
}

// notification reads on until one comes.
func (c *rawConn) notification(t testing.TB) notification {
	t.Helper()
	for {
		if n, ok := c.read(t).Body.(*packet.BGPNotification); ok {
			return notification{code: n.ErrorCode, subcode: n.ErrorSubcode, data: n.Data}
		}
	}
}

// logger logs to the test.
func logger(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}
