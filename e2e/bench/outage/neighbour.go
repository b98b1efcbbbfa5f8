package outage

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/e2e/bench/clock"
	"github.com/heraldlb/herald/e2e/suite/claim"
)

// neighbours asks on the segment who has an address.
type neighbours struct {
	listener *claim.Listener
	socket   *os.File
	question []byte // the whole frame
	address  netip.Addr
	record   *record
}

func newNeighbours(link string, address netip.Addr, kept *record) (*neighbours, error) {
	device, err := net.InterfaceByName(link)
	if err != nil {
		return nil, err
	}
	source, err := sourceFor(device, address)
	if err != nil {
		return nil, err
	}
	listener, err := claim.Listen(link)
	if err != nil {
		return nil, err
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0) // protocol 0: it hears nothing
	if err != nil {
		return nil, errors.Join(fmt.Errorf("packet socket: %w", err), listener.Close())
	}
	n := &neighbours{listener: listener, socket: os.NewFile(uintptr(fd), "packet socket"), address: address, record: kept}
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: device.Index}); err != nil {
		return nil, errors.Join(err, listener.Close(), n.socket.Close())
	}
	if address.Is4() {
		n.question = arpRequest(device.HardwareAddr, source, address)
	} else {
		n.question = neighbourSolicitation(device.HardwareAddr, source, address)
	}
	return n, nil
}

// sourceFor returns the link's address of the target's family.
func sourceFor(device *net.Interface, target netip.Addr) (netip.Addr, error) {
	addresses, err := device.Addrs()
	if err != nil {
		return netip.Addr{}, err
	}
	for _, address := range addresses {
		prefix, err := netip.ParsePrefix(address.String())
		if err == nil && prefix.Contains(target) {
			return prefix.Addr(), nil
		}
	}
	return netip.Addr{}, fmt.Errorf("%s is not on-link on %s", target, device.Name)
}

func (n *neighbours) ask(ctx context.Context) error {
	defer n.socket.Close() //nolint:errcheck // nothing is lost
	stop := context.AfterFunc(ctx, func() { _ = n.listener.Close() })
	defer stop()
	var listening sync.WaitGroup
	defer listening.Wait()
	listening.Go(n.listen)
	return tick(ctx, func(at clock.Instant) error {
		n.record.ask(at)
		_, err := n.socket.Write(n.question)
		return err
	})
}

// listen returns when the listener is closed.
func (n *neighbours) listen() {
	for {
		heard, err := n.listener.Next()
		if err != nil {
			return
		}
		at, err := clock.Now()
		if err != nil {
			return
		}
		if heard.Address == n.address {
			n.record.hear(heard.MAC, at)
		}
	}
}
