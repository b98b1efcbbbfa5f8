package l2

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/mdlayher/packet"
	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/announcer/l2/frame"
	"github.com/heraldlb/herald/announcer/l2/l2test"
)

// window is how many questions are open at a time.
const window = 512

// asker is a host that asks for addresses and counts the answers.
type asker struct {
	protocol protocol
	conn     *packet.Conn
	raw      syscall.RawConn
	requests [][]byte
	tx, rx   *batch
	message  frame.Message
	next     int
}

// newAsker makes a host ask on eth0, from its address, for others, in turn.
func newAsker(t testing.TB, client *l2test.Host, from netip.Addr, targets []netip.Addr) *asker {
	t.Helper()
	a := &asker{tx: newBatch(128), rx: newBatch(frameSize)}
	mac := client.MAC(t, "eth0")
	etherType := 0x0806
	a.protocol = frame.ARP{}
	build := arpRequest
	if from.Is6() {
		etherType, a.protocol, build = 0x86dd, frame.NDP{}, solicitation
	}
	for _, addr := range targets {
		a.requests = append(a.requests, build(t, mac, from, addr))
	}
	client.Do(t, func() (err error) {
		a.conn, err = packet.Listen(&net.Interface{Index: client.Link(t, "eth0").Attrs().Index}, packet.Raw, etherType, nil)
		return err
	})
	t.Cleanup(func() { _ = a.conn.Close() })
	var err error
	if a.raw, err = a.conn.SyscallConn(); err != nil {
		t.Fatal(err)
	}
	// Only root of the whole machine may have as much; others lose some answers.
	err = a.raw.Control(func(fd uintptr) {
		if err := growBuffer(int(fd)); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// ask has n questions answered, and asks again for what was lost.
func (a *asker) ask(t testing.TB, n int) {
	open := 0
	for n > 0 {
		for open < window && open < n {
			open += a.send(t, min(batchSize, window-open, n-open))
		}
		answers := a.receive(t)
		if answers == 0 {
			open = 0 // lost
			continue
		}
		n -= answers
		open = max(open-answers, 0)
	}
}

func (a *asker) send(t testing.TB, n int) int {
	for i := range n {
		request := a.requests[a.next]
		a.next = (a.next + 1) % len(a.requests)
		a.tx.setLength(i, copy(a.tx.buffer(i), request))
	}
	sent := 0
	for sent < n {
		var errno unix.Errno
		err := a.raw.Write(func(fd uintptr) bool {
			var m int
			m, errno = a.tx.send(fd, sent, n)
			sent += m
			return errno != unix.EAGAIN
		})
		if err != nil || errno != 0 && !errors.Is(errno, unix.ENOBUFS) {
			t.Fatal(err, errno)
		}
	}
	return n
}

// receive returns how many answers came; 0 if none for a while.
func (a *asker) receive(t testing.TB) int {
	if err := a.conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	n := 0
	err := a.raw.Read(func(fd uintptr) bool {
		var errno unix.Errno
		n, errno = a.rx.receive(fd)
		return errno != unix.EAGAIN
	})
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return 0
	}
	if err != nil {
		t.Fatal(err)
	}
	answers := 0
	for i := range n {
		if a.protocol.Parse(a.rx.received(i), &a.message) == frame.None && !a.message.Asks.IsValid() {
			answers++
		}
	}
	return answers
}
