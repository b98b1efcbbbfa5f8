package outage

import (
	"fmt"
	"net"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// Requester asks on a link who has an address.
type Requester struct {
	socket  *os.File
	device  *net.Interface
	sources []netip.Prefix
}

// NewRequester returns a requester on a link.
func NewRequester(link string) (*Requester, error) {
	device, err := net.InterfaceByName(link)
	if err != nil {
		return nil, err
	}
	addresses, err := device.Addrs()
	if err != nil {
		return nil, err
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0) // protocol 0: it hears nothing
	if err != nil {
		return nil, fmt.Errorf("packet socket: %w", err)
	}
	r := &Requester{socket: os.NewFile(uintptr(fd), "packet socket"), device: device}
	for _, address := range addresses {
		if prefix, err := netip.ParsePrefix(address.String()); err == nil {
			r.sources = append(r.sources, prefix)
		}
	}
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: device.Index}); err != nil {
		_ = r.Close()
		return nil, fmt.Errorf("packet socket on %s: %w", link, err)
	}
	return r, nil
}

// Close ends the requester.
func (r *Requester) Close() error { return r.socket.Close() }

// Request sends one request.
func (r *Requester) Request(address netip.Addr) error {
	question, err := r.question(address)
	if err != nil {
		return err
	}
	_, err = r.socket.Write(question)
	return err
}

// question returns the whole frame.
func (r *Requester) question(address netip.Addr) ([]byte, error) {
	for _, source := range r.sources {
		switch {
		case !source.Contains(address):
		case address.Is4():
			return arpRequest(r.device.HardwareAddr, source.Addr(), address), nil
		default:
			return neighbourSolicitation(r.device.HardwareAddr, source.Addr(), address), nil
		}
	}
	return nil, fmt.Errorf("%s is not on-link on %s", address, r.device.Name)
}
