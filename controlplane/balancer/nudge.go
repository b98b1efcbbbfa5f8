package balancer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// nudge has clients find out now, instead of when they next have something to say,
// that their connections are gone: each is sent an acknowledgement of nothing, from
// the frontend. It answers with one that names what it has (RFC 9293, section
// 3.10.7.4), which this host's TCP, that knows of no such connection, resets.
func (k *kernel) nudge(flows []flow) error {
	var failed error
	for _, family := range []int{unix.AF_INET, unix.AF_INET6} {
		of := make([]flow, 0, len(flows))
		for _, f := range flows {
			if f.client.Addr().Is4() == (family == unix.AF_INET) {
				of = append(of, f)
			}
		}
		if len(of) > 0 {
			failed = errors.Join(failed, send(family, of))
		}
	}
	return failed
}

// send sends the acknowledgements by raw sockets, one for each frontend.
func send(family int, flows []flow) (failed error) {
	sockets := make(map[netip.Addr]int)
	defer func() {
		for _, fd := range sockets {
			failed = errors.Join(failed, unix.Close(fd))
		}
	}()
	for _, f := range flows {
		from := f.frontend.Addr()
		fd, open := sockets[from]
		if !open {
			var err error
			if fd, err = unix.Socket(family, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.IPPROTO_TCP); err != nil {
				return fmt.Errorf("raw socket: %w", err)
			}
			sockets[from] = fd
			if err := unix.Bind(fd, sockaddr(from)); err != nil {
				return fmt.Errorf("raw socket from %s: %w", from, err)
			}
		}
		if err := unix.Sendto(fd, acknowledgement(f), 0, sockaddr(f.client.Addr())); err != nil {
			failed = errors.Join(failed, fmt.Errorf("to %s: %w", f.client.Addr(), err))
		}
	}
	return failed
}

func sockaddr(a netip.Addr) unix.Sockaddr {
	if a.Is4() {
		return &unix.SockaddrInet4{Addr: a.As4()}
	}
	return &unix.SockaddrInet6{Addr: a.As16()}
}

// acknowledgement is a TCP segment from the frontend to the client.
func acknowledgement(f flow) []byte {
	const length, flagACK = 20, 1 << 4
	segment := make([]byte, length)
	binary.BigEndian.PutUint16(segment, f.frontend.Port())
	binary.BigEndian.PutUint16(segment[2:], f.client.Port())
	segment[12] = length / 4 << 4
	segment[13] = flagACK
	pseudo := append(f.frontend.Addr().AsSlice(), f.client.Addr().AsSlice()...)
	pseudo = binary.BigEndian.AppendUint32(pseudo, length)
	pseudo = binary.BigEndian.AppendUint32(pseudo, unix.IPPROTO_TCP)
	binary.BigEndian.PutUint16(segment[16:], checksum(append(pseudo, segment...)))
	return segment
}

// checksum is that of RFC 1071, of an even number of bytes.
func checksum(data []byte) uint16 {
	var sum uint32
	for i := 0; i < len(data); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(data[i:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
