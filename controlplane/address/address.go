// Package address puts VIPs on interfaces and takes them off, by rtnetlink, and
// says which interface that is to be.
//
// A VIP is a host route (/32, /128) that the kernel prefers for nothing: its
// preferred lifetime is 0. Its valid lifetime is short, so that the kernel itself
// takes off the VIP of a process that died or hangs.
package address

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// ErrPermission is wrapped by the error about a missing right.
var ErrPermission = errors.New("CAP_NET_ADMIN is missing")

// protocol marks what Herald put there (IFA_PROTO, since Linux 5.18; older kernels
// pass over it). Numbers from 4 on are free for the taking.
const protocol = 0x68

// ifaProto is IFA_PROTO of linux/if_addr.h.
const ifaProto = 11

// Loopback is the index of lo, in each network namespace.
const Loopback = 1

// Assigned is an address of an interface.
type Assigned struct {
	Index  int
	Prefix netip.Prefix
	// Ours says that Herald put it there.
	Ours bool
	// Failed says that duplicate address detection found another user of it (RFC
	// 4862 section 5.4): the kernel does not use it.
	Failed bool
}

// Set puts addr on the interface of that index, for the lifetime, or sets the
// lifetime of one that is there. Lifetimes are in whole seconds, rounded up.
func Set(index int, addr netip.Addr, lifetime time.Duration) error {
	request := nl.NewNetlinkRequest(unix.RTM_NEWADDR, unix.NLM_F_CREATE|unix.NLM_F_REPLACE|unix.NLM_F_ACK)
	message(request, index, addr)
	seconds := max(1, uint32(math.Ceil(lifetime.Seconds())))
	life := nl.IfaCacheInfo{IfaCacheinfo: unix.IfaCacheinfo{Valid: seconds}}
	request.AddData(nl.NewRtAttr(unix.IFA_CACHEINFO, life.Serialize()))
	if addr.Is6() {
		// No address can be a duplicate that another node just gave up; strangers
		// are probed for elsewhere.
		request.AddData(nl.NewRtAttr(unix.IFA_FLAGS, nl.Uint32Attr(unix.IFA_F_NODAD)))
	}
	request.AddData(nl.NewRtAttr(ifaProto, nl.Uint8Attr(protocol)))
	if _, err := request.Execute(unix.NETLINK_ROUTE, 0); err != nil {
		return fmt.Errorf("put %s on %s: %w", addr, Name(index), explain(err))
	}
	return nil
}

// Remove takes addr off the interface of that index. One that is not there is no
// error.
func Remove(index int, addr netip.Addr) error {
	request := nl.NewNetlinkRequest(unix.RTM_DELADDR, unix.NLM_F_ACK)
	message(request, index, addr)
	_, err := request.Execute(unix.NETLINK_ROUTE, 0)
	if err != nil && !errors.Is(err, unix.EADDRNOTAVAIL) && !errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("take %s off %s: %w", addr, Name(index), explain(err))
	}
	return nil
}

// Name returns the name of an interface, or its index if there is none any more.
func Name(index int) string {
	on, err := net.InterfaceByIndex(index)
	if err != nil {
		return "interface " + strconv.Itoa(index)
	}
	return on.Name
}

// message begins a request about addr as a host route.
func message(request *nl.NetlinkRequest, index int, addr netip.Addr) {
	header := nl.NewIfAddrmsg(unix.AF_INET)
	if addr.Is6() {
		header.Family = unix.AF_INET6
	}
	if index == Loopback {
		// Where another interface has no address, the kernel takes one of lo for a source,
		// but none of this scope.
		header.Scope = unix.RT_SCOPE_HOST
	}
	header.Index, header.Prefixlen = uint32(index), uint8(addr.BitLen())
	request.AddData(header)
	request.AddData(nl.NewRtAttr(unix.IFA_LOCAL, addr.AsSlice()))
	request.AddData(nl.NewRtAttr(unix.IFA_ADDRESS, addr.AsSlice()))
}

// explain names what is missing or in the way.
func explain(err error) error {
	switch {
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("%w: %w", err, ErrPermission)
	case errors.Is(err, unix.EACCES):
		return fmt.Errorf("%w: IPv6 is disabled there (net.ipv6.conf.INTERFACE.disable_ipv6)", err)
	}
	return err
}

// All returns the addresses of all interfaces.
func All() ([]Assigned, error) {
	request := nl.NewNetlinkRequest(unix.RTM_GETADDR, unix.NLM_F_DUMP)
	request.AddData(nl.NewIfAddrmsg(unix.AF_UNSPEC))
	bodies, err := request.Execute(unix.NETLINK_ROUTE, unix.RTM_NEWADDR)
	if err != nil && !errors.Is(err, nl.ErrDumpInterrupted) {
		return nil, fmt.Errorf("list addresses: %w", err)
	}
	all := make([]Assigned, 0, len(bodies))
	for _, body := range bodies {
		if a, ok := parse(body); ok {
			all = append(all, a)
		}
	}
	return all, nil
}

// parse reads RTM_NEWADDR; ok is false for what is no IP address.
func parse(body []byte) (a Assigned, ok bool) {
	if len(body) < unix.SizeofIfAddrmsg {
		return a, false
	}
	header := nl.DeserializeIfAddrmsg(body)
	attributes, err := nl.ParseRouteAttr(body[unix.SizeofIfAddrmsg:])
	if err != nil {
		return a, false
	}
	var addr netip.Addr
	a.Index = int(header.Index)
	for _, attribute := range attributes {
		switch attribute.Attr.Type {
		case unix.IFA_LOCAL:
			addr, _ = netip.AddrFromSlice(attribute.Value)
		case unix.IFA_ADDRESS: // of a peer, where there is IFA_LOCAL as well
			if !addr.IsValid() {
				addr, _ = netip.AddrFromSlice(attribute.Value)
			}
		case unix.IFA_FLAGS:
			a.Failed = len(attribute.Value) == 4 && nl.NativeEndian().Uint32(attribute.Value)&unix.IFA_F_DADFAILED != 0
		case ifaProto:
			a.Ours = len(attribute.Value) == 1 && attribute.Value[0] == protocol
		}
	}
	a.Prefix = netip.PrefixFrom(addr, int(header.Prefixlen))
	return a, a.Prefix.IsValid()
}

// Sweep takes off what a Herald that crashed left: of the addresses that Herald put on
// interfaces those that are meant. It returns what it took off.
func Sweep(meant func(Assigned) bool) (swept []Assigned, err error) {
	all, err := All()
	if err != nil {
		return nil, err
	}
	for _, a := range all {
		if !a.Ours || !meant(a) {
			continue
		}
		if removed := Remove(a.Index, a.Prefix.Addr()); removed != nil {
			err = errors.Join(err, removed)
			continue
		}
		swept = append(swept, a)
	}
	return swept, err
}

// Permitted returns an error that wraps ErrPermission if this process may not
// change addresses.
func Permitted() error {
	// The kernel looks at the right before it looks for the interface.
	if err := Remove(math.MaxInt32, netip.AddrFrom4([4]byte{192, 0, 2, 1})); err != nil {
		return fmt.Errorf("change addresses: %w", errors.Unwrap(err))
	}
	return nil
}
