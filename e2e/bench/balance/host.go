package balance

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// host is a network namespace on a segment.
type host struct {
	*netlink.Handle
	ns netns.NsHandle
}

// newHost makes one; it ends with the process, or when closed.
func newHost() (*host, error) {
	h := &host{}
	made := make(chan error)
	go func() {
		// The thread is in the wrong namespace from now on, and ends with the
		// goroutine that holds it.
		runtime.LockOSThread()
		var err error
		h.ns, err = netns.New()
		made <- err
	}()
	if err := <-made; err != nil {
		return nil, fmt.Errorf("make a network namespace: %w", err)
	}
	var err error
	if h.Handle, err = netlink.NewHandleAt(h.ns); err != nil {
		return nil, errors.Join(err, h.ns.Close())
	}
	return h, h.up("lo")
}

func (h *host) close() error {
	h.Close()
	return h.ns.Close()
}

// do calls f on a thread that is in the host.
func (h *host) do(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		if err := netns.Set(h.ns); err != nil {
			done <- err
			return
		}
		done <- f()
	}()
	return <-done
}

func (h *host) up(name string) error {
	link, err := h.LinkByName(name)
	if err != nil {
		return err
	}
	return h.LinkSetUp(link)
}

// join connects the host to a bridge of another.
func (h *host) join(sw *host, bridge, port string, prefix netip.Prefix) error {
	err := sw.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: port}, PeerName: "eth0", PeerNamespace: netlink.NsFd(h.ns)})
	if err != nil {
		return fmt.Errorf("cable %s: %w", port, err)
	}
	master, err := sw.LinkByName(bridge)
	if err != nil {
		return err
	}
	link, err := sw.LinkByName(port)
	if err != nil {
		return err
	}
	return errors.Join(sw.LinkSetMaster(link, master), sw.LinkSetUp(link), h.up("eth0"), h.address(prefix))
}

// address gives the host an address.
func (h *host) address(p netip.Prefix) error {
	link, err := h.LinkByName("eth0")
	if err != nil {
		return err
	}
	return h.AddrAdd(link, &netlink.Addr{
		IPNet: &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}, Flags: unix.IFA_F_NODAD,
	})
}

// limit has an interface send so many bytes a second at most, as that of a network
// card.
func limit(h *host, name string, rate uint64) error {
	link, err := h.LinkByName(name)
	if err != nil {
		return err
	}
	return h.QdiscReplace(&netlink.Tbf{
		QdiscAttrs: netlink.QdiscAttrs{LinkIndex: link.Attrs().Index, Handle: netlink.MakeHandle(1, 0), Parent: netlink.HANDLE_ROOT},
		Rate:       rate, Limit: 1 << 20, Buffer: 1 << 20,
	})
}

// forward has the host forward packets.
func (h *host) forward() error {
	return h.do(func() error {
		return errors.Join(
			os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0),
			os.WriteFile("/proc/sys/net/ipv6/conf/all/forwarding", []byte("1"), 0),
		)
	})
}
