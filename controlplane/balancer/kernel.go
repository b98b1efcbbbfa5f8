package balancer

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// kernel is the host's nftables and connection tracking.
type kernel struct {
	conn  *nftables.Conn
	route *netlink.Handle
}

// openKernel opens it, in the network namespace of the thread.
func openKernel() (*kernel, error) {
	conn, err := nftables.New()
	if err != nil {
		return nil, err
	}
	route, err := netlink.NewHandle(unix.NETLINK_ROUTE, unix.NETLINK_NETFILTER)
	if err != nil {
		return nil, fmt.Errorf("netlink: %w", err)
	}
	return &kernel{conn, route}, nil
}

func (k *kernel) close() { k.route.Close() }

// renew replaces the table, whatever it is that a crash left, by an empty one.
func (k *kernel) renew() error {
	k.sweep()
	newProgram(k.conn, Table).chains()
	return k.conn.Flush()
}

// put replaces the rules, in one transaction: each packet meets those before or
// those after. It makes the table that somebody deleted.
func (k *kernel) put(services []service) error {
	p := newProgram(k.conn, Table)
	p.chains()
	for _, s := range services {
		p.serve(s)
	}
	return k.conn.Flush()
}

// sweep writes the end of the table, which need not be there.
func (k *kernel) sweep() {
	k.conn.DelTable(k.conn.AddTable(&nftables.Table{Name: Table, Family: nftables.TableFamilyINet}))
}

// remove removes the table.
func (k *kernel) remove() error {
	k.sweep()
	return k.conn.Flush()
}

// there says if nobody else deleted the table.
func (k *kernel) there() (bool, error) {
	_, err := k.conn.ListTableOfFamily(Table, nftables.TableFamilyINet)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// local returns the addresses that the host has.
func (k *kernel) local() (map[netip.Addr]bool, error) {
	all, err := k.route.AddrList(nil, netlink.FAMILY_ALL)
	if err != nil {
		return nil, fmt.Errorf("the host's addresses: %w", err)
	}
	local := make(map[netip.Addr]bool, len(all))
	for _, a := range all {
		if addr, ok := netip.AddrFromSlice(a.IP); ok {
			local[addr.Unmap()] = true
		}
	}
	return local, nil
}

// sysctl returns the one that says if the host forwards packets of a family.
func sysctl(is4 bool) string {
	if is4 {
		return "net.ipv4.ip_forward"
	}
	return "net.ipv6.conf.all.forwarding"
}

// forwards says if the host forwards packets of a family.
func (k *kernel) forwards(is4 bool) bool {
	value, err := os.ReadFile("/proc/sys/" + strings.ReplaceAll(sysctl(is4), ".", "/"))
	return err == nil && strings.TrimSpace(string(value)) != "0"
}
