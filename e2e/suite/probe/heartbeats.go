package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// forger sends datagrams to the port of heartbeats that no announcer sent.
type forger struct {
	device  *net.Interface
	socket  int
	v6      bool
	source  netip.Addr // on-link
	cluster uint64
	random  *rand.Rand
	// heard is a node's own heartbeat, from the segment, that others followed.
	heard []byte
}

// forgeries are made so often.
const forgeries = 10

// forge sends some of each kind of bad datagram to a family's group. The cluster's
// name makes them those of this cluster.
func forge(link, family, cluster string) error {
	f, err := newForger(link, family == "IPv6", cluster)
	if err != nil {
		return err
	}
	defer unix.Close(f.socket) //nolint:errcheck // nothing is buffered
	if f.heard, err = f.record(); err != nil {
		return err
	}
	for range forgeries {
		for _, frame := range f.frames() {
			if err := f.send(frame); err != nil {
				return err
			}
		}
	}
	return nil
}

func newForger(link string, v6 bool, cluster string) (*forger, error) {
	device, err := net.InterfaceByName(link)
	if err != nil {
		return nil, err
	}
	source, err := own(device, v6)
	if err != nil {
		return nil, err
	}
	socket, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("packet socket: %w", err)
	}
	return &forger{
		device: device, socket: socket, v6: v6, source: source,
		cluster: clusterOf(cluster), random: rand.New(rand.NewPCG(1, 2)),
	}, nil
}

// own returns an address of the interface.
func own(device *net.Interface, v6 bool) (netip.Addr, error) {
	addresses, err := device.Addrs()
	if err != nil {
		return netip.Addr{}, err
	}
	for _, address := range addresses {
		prefix, err := netip.ParsePrefix(address.String())
		if err == nil && prefix.Addr().Is6() == v6 && !prefix.Addr().IsLinkLocalUnicast() {
			return prefix.Addr(), nil
		}
	}
	return netip.Addr{}, fmt.Errorf("%s has no address of the family", device.Name)
}

// frames returns one of each kind; the reason for which each is to be dropped
// stands beside it.
func (f *forger) frames() [][]byte {
	who := nobody(f.cluster)
	good := who.heartbeat(time.Second)
	other, keyed := nobody(f.cluster+1), who
	keyed.keyed = true
	strange := netip.MustParseAddr("198.51.100.66")
	if f.v6 {
		strange = netip.MustParseAddr("2001:db8::66")
	}
	return [][]byte{
		f.frame(f.source, heartbeatHops, heartbeatPort, make([]byte, heartbeatLimit+1)), // oversized
		f.frame(f.source, heartbeatHops-1, heartbeatPort, good),                         // hop-limit
		f.frame(f.source, heartbeatHops, 40000, good),                                   // port
		f.frame(strange, heartbeatHops, heartbeatPort, good),                            // off-link
		f.frame(f.source, heartbeatHops, heartbeatPort, good[:len(good)-1]),             // truncated
		f.frame(f.source, heartbeatHops, heartbeatPort, append(slices.Clip(good), 0)),   // trailing
		f.frame(f.source, heartbeatHops, heartbeatPort, noise(f.random, 100)),           // magic
		f.frame(f.source, heartbeatHops, heartbeatPort, other.heartbeat(time.Second)),   // cluster
		f.frame(f.source, heartbeatHops, heartbeatPort, keyed.heartbeat(time.Second)),   // keyed, or forged
		f.frame(f.source, heartbeatHops, heartbeatPort, who.request()),                  // unknown
		f.heard, // replayed
	}
}

// frame is an Ethernet frame to the group of heartbeats.
func (f *forger) frame(source netip.Addr, hops byte, port uint16, data []byte) []byte {
	udp := binary.BigEndian.AppendUint16(nil, port)
	udp = binary.BigEndian.AppendUint16(udp, heartbeatPort)
	udp = binary.BigEndian.AppendUint16(udp, uint16(8+len(data)))
	udp = append(append(udp, 0, 0), data...)
	if f.v6 {
		group := netip.MustParseAddr(groupIPv6).As16()
		pseudo := append(append([]byte{}, source.AsSlice()...), group[:]...)
		pseudo = binary.BigEndian.AppendUint32(pseudo, uint32(len(udp)))
		pseudo = binary.BigEndian.AppendUint32(pseudo, unix.IPPROTO_UDP)
		binary.BigEndian.PutUint16(udp[6:], internet(append(pseudo, udp...)))
		header := binary.BigEndian.AppendUint16([]byte{0x60, 0, 0, 0}, uint16(len(udp)))
		header = append(append(header, unix.IPPROTO_UDP, hops), source.AsSlice()...)
		header = append(header, group[:]...)
		return ethernet(f.device, append(net.HardwareAddr{0x33, 0x33}, group[12:]...), typeIPv6, append(header, udp...))
	}
	group := netip.MustParseAddr(groupIPv4).As4()
	header := binary.BigEndian.AppendUint16([]byte{0x45, 0}, uint16(20+len(udp)))
	header = append(header, 0, 0, 0, 0, hops, unix.IPPROTO_UDP, 0, 0)
	header = append(append(header, source.AsSlice()...), group[:]...)
	binary.BigEndian.PutUint16(header[10:], internet(header))
	to := net.HardwareAddr{0x01, 0x00, 0x5e, group[1] & 0x7f, group[2], group[3]} // RFC 1112 section 6.4
	return ethernet(f.device, to, unix.ETH_P_IP, append(header, udp...))
}

func (f *forger) send(frame []byte) error {
	err := unix.Sendto(f.socket, frame, 0, &unix.SockaddrLinklayer{Ifindex: f.device.Index})
	if errors.Is(err, unix.ENOBUFS) {
		return nil
	}
	return err
}

// following is how many heartbeats come after one until it counts as old.
const following = 3

// record waits for a heartbeat of a node, and for those that follow, and returns
// it in a frame of this host's: the switch is not to look for the node here, and
// checksums are not yet computed in what the kernel shows.
func (f *forger) record() ([]byte, error) {
	etherType, sourceAt, end := uint16(unix.ETH_P_IP), 26, 42
	if f.v6 {
		etherType, sourceAt, end = unix.ETH_P_IPV6, 22, 62
	}
	protocol := binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, etherType))
	socket, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, int(protocol))
	if err != nil {
		return nil, fmt.Errorf("packet socket: %w", err)
	}
	defer unix.Close(socket) //nolint:errcheck // read only
	if err := unix.SetsockoptPacketMreq(socket, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP,
		&unix.PacketMreq{Ifindex: int32(f.device.Index), Type: unix.PACKET_MR_ALLMULTI}); err != nil {
		return nil, err
	}
	buffer := make([]byte, 2048)
	var first []byte
	for others := 0; others < following; {
		n, _, err := unix.Recvfrom(socket, buffer, 0)
		if err != nil {
			return nil, err
		}
		switch {
		case n < end+headerLength || string(buffer[end:end+4]) != heartbeatMagic || buffer[end+kindAt] != kindHeartbeat:
		case first == nil:
			first = append(first, buffer[:n]...)
		case string(buffer[sourceAt:end-8]) == string(first[sourceAt:end-8]):
			others++
		}
	}
	length := len(f.source.AsSlice())
	source, _ := netip.AddrFromSlice(first[sourceAt : sourceAt+length])
	return f.frame(source, heartbeatHops, heartbeatPort, first[end:]), nil
}

// flood sends the bad datagrams, of both families in turn, so often a second for so
// long, and returns how many it could.
func flood(link, cluster string, perSecond int, duration time.Duration) (int, error) {
	var frames [][]byte
	var sender *forger
	for _, v6 := range []bool{false, true} {
		f, err := newForger(link, v6, cluster)
		if err != nil {
			return 0, err
		}
		defer unix.Close(f.socket) //nolint:errcheck // nothing is buffered
		if f.heard, err = f.record(); err != nil {
			return 0, err
		}
		frames, sender = append(frames, f.frames()...), f
	}
	sent := 0
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for begin := time.Now(); time.Since(begin) < duration; <-ticker.C {
		for due := int(float64(perSecond) * time.Since(begin).Seconds()); sent < due; sent++ {
			if err := sender.send(frames[sent%len(frames)]); err != nil {
				return sent, err
			}
		}
	}
	return sent, nil
}

// pose sends heartbeats in the name of a node, as another would that was started
// just now, until ctx ends.
func pose(ctx context.Context, link, cluster, node string) error {
	var senders []*forger
	for _, v6 := range []bool{false, true} {
		f, err := newForger(link, v6, cluster)
		if err != nil {
			return err
		}
		defer unix.Close(f.socket) //nolint:errcheck // nothing is buffered
		senders = append(senders, f)
	}
	const interval = 25 * time.Millisecond
	who := speaker{cluster: clusterOf(cluster), name: node, incarnation: uint64(time.Now().UnixNano())}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		who.sequence++
		for _, f := range senders {
			if err := f.send(f.frame(f.source, heartbeatHops, heartbeatPort, who.heartbeat(interval))); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}
