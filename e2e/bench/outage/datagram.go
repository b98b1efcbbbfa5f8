package outage

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/heraldlb/herald/e2e/bench/clock"
)

// datagrams asks by UDP: each datagram carries its number, and the echo sends
// it back.
type datagrams struct {
	target netip.AddrPort
	record *record
	conn   *net.UDPConn
}

func (d *datagrams) ask(ctx context.Context) error {
	if err := d.connect(ctx); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = d.conn.Close() })
	defer stop()
	var listening sync.WaitGroup
	defer listening.Wait()
	listening.Go(d.listen)
	return tick(ctx, func(at clock.Instant) error {
		d.send(at)
		return nil
	})
}

func (d *datagrams) send(at clock.Instant) {
	question := binary.BigEndian.AppendUint64(nil, uint64(d.record.ask(at)))
	// An error is an ICMP message to one sent before: that is lost, and
	// shows as such.
	_, _ = d.conn.Write(question)
}

// connect opens sockets until an answer comes by one.
func (d *datagrams) connect(ctx context.Context) error {
	for d.conn == nil {
		if err := ctx.Err(); err != nil {
			return err
		}
		conn, err := d.open()
		if err != nil {
			return err
		}
		d.conn = conn
	}
	return nil
}

// open returns a socket by which an answer came, or nil if none did: a node that
// gets a datagram before its kube-proxy has the rules goes on to track that
// socket's datagrams without them, so that another has to be tried.
func (d *datagrams) open() (*net.UDPConn, error) {
	const tries, wait = 3, 50 * time.Millisecond
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(d.target))
	if err != nil {
		return nil, err
	}
	for range tries {
		if err := conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		_, _ = conn.Write([]byte{0}) // an error is an ICMP message, as below
		if _, err := conn.Read(make([]byte, 1)); err == nil {
			return conn, conn.SetReadDeadline(time.Time{})
		}
	}
	return nil, conn.Close()
}

// listen returns when the socket is closed.
func (d *datagrams) listen() {
	answer := make([]byte, 16)
	for {
		n, err := d.conn.Read(answer)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil || n != 8 {
			continue // an ICMP message
		}
		at, err := clock.Now()
		if err != nil {
			return
		}
		d.record.answer(int(binary.BigEndian.Uint64(answer)), at)
	}
}

// tick calls do each interval until ctx ends.
func tick(ctx context.Context, do func(clock.Instant) error) error {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		at, err := clock.Now()
		if err != nil {
			return err
		}
		if err := do(at); err != nil {
			return err
		}
	}
}
