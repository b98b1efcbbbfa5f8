package membership

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/announcer/l2/l2test"
	"github.com/heraldlb/herald/internal/datagram"
)

// shut makes a socket one that always has something to tell and never anything to
// read, as far as the kernel lets an unconnected one be shut.
func shut(t testing.TB, fd int) {
	t.Helper()
	if err := unix.Shutdown(fd, unix.SHUT_RDWR); err != nil && !errors.Is(err, unix.ENOTCONN) {
		t.Fatal(err)
	}
}

// A socket that wakes the thread and brings nothing is not waited for any longer.
func TestBrokenSocketDoesNotSpin(t *testing.T) {
	n := newNetwork(t)
	thread := bareThread(t, n.host(t, v4, v6), Options{Node: "a", Interval: time.Minute})
	shut(t, thread.now.links[0].lines[1].fd)
	thread.rouse(thread.clock())
	for range 10 * faultsUntilBroken {
		thread.alertUntil = thread.clock() + time.Hour
		if thread.timeout = unix.NsecToTimespec(0); ready(t, thread) == 0 {
			return
		}
		must(t, thread.turn())
	}
	t.Error("the thread is woken for ever")
}

// ready returns how many descriptors would wake the thread now.
func ready(t testing.TB, thread *thread) int {
	t.Helper()
	n, err := unix.Poll(thread.polls, 0)
	must(t, err)
	return n
}

// Another socket takes the place of one that broke, and nobody is taken for dead.
func TestBrokenSocketIsReplaced(t *testing.T) {
	n := newNetwork(t)
	host := n.host(t, v4)
	a := newStation(t, host, Options{Node: "a"})
	opened := make(chan int, 16)
	open := a.open
	a.open = func(of socketOf) (int, error) {
		fd, err := open(of)
		if of.is4 { // there is one for the link-local addresses of IPv6 too
			opened <- fd
		}
		return fd, err
	}
	next := func() int {
		t.Helper()
		select {
		case fd := <-opened:
			return fd
		case <-time.After(l2test.Patience):
			t.Fatal("no socket was opened")
			return -1
		}
	}
	a.start(t)
	b := run(t, n.host(t, v4), Options{Node: "b"})
	a.waitJoined(t, "b")
	b.waitJoined(t, "a")
	shut(t, next())
	a.Beat(Beacon{Standing: true}) // which makes it alert
	next()
	a.Beat(Beacon{Standing: true, Leaving: true})
	b.wait(t, "a to leave", func(e event) bool { return e.what == "joined" && e.peer.Leaving })
	during(t, 300*time.Millisecond)
	a.nobodyGone(t)
	b.nobodyGone(t)
}

// Nobody is to think that others are listened to where the port is taken.
func TestPortTaken(t *testing.T) {
	n := newNetwork(t)
	host := n.host(t, v4)
	a := newStation(t, host, Options{Node: "a"})
	open, taken := a.open, errors.New("the port is taken")
	var free atomic.Bool
	a.open = func(of socketOf) (int, error) {
		if !free.Load() {
			return -1, taken
		}
		return open(of)
	}
	a.start(t)
	l2test.Poll(t, "a complaint", func() bool { return len(a.View().Complaints) > 0 })
	if told := a.told(); told != "" {
		t.Errorf("before the port is free: %s", told)
	}
	free.Store(true)
	e := a.wait(t, "the port to be open", func(e event) bool { return e.what == "listening" })
	if want := host.Link(t, "eth0").Attrs().Index; !slices.Equal(e.peer.Interfaces, []int{want}) {
		t.Errorf("listening on %v, want %d", e.peer.Interfaces, want)
	}
}

// What ICMP says of one datagram does not cost the next.
func TestErrorsCostNoDatagram(t *testing.T) {
	n := newNetwork(t)
	thread := bareThread(t, n.host(t, v4), Options{Node: "a"})
	other := n.host(t, v4)
	port := thread.now.links[0].lines[0].port
	to := datagram.NewAddress(netip.MustParseAddrPort("192.0.2.2:9"), 0)
	const unknownHost = 7 // EHOSTDOWN
	sendUnreachable(t, other, unknownHost, thread.options.Port)
	l2test.Poll(t, "the error", func() bool { return ready(t, thread) == 1 })
	must(t, port.transmit([]byte("hello"), &to))
}

// sendUnreachable has the second host tell the first that a datagram of it could not
// be delivered.
func sendUnreachable(t testing.TB, from *l2test.Host, code byte, port uint16) {
	t.Helper()
	b := make([]byte, 8+20+8)
	b[0], b[1] = 3, code
	quoted := b[8:]
	quoted[0], quoted[3], quoted[8], quoted[9] = 0x45, 28, 255, unix.IPPROTO_UDP
	copy(quoted[12:], []byte{192, 0, 2, 1})
	copy(quoted[16:], []byte{192, 0, 2, 2})
	binary.BigEndian.PutUint16(quoted[20:], port)
	binary.BigEndian.PutUint16(quoted[22:], 9)
	binary.BigEndian.PutUint16(quoted[24:], 8)
	binary.BigEndian.PutUint16(b[2:], checksum(b))
	from.Do(t, func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_ICMP)
		if err != nil {
			return err
		}
		return errors.Join(unix.Sendto(fd, b, 0, &unix.SockaddrInet4{Addr: [4]byte{192, 0, 2, 1}}), unix.Close(fd))
	})
}

// checksum is the Internet checksum (RFC 1071).
func checksum(b []byte) uint16 {
	sum := uint32(0)
	for i := 0; i < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
