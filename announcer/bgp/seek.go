package bgp

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// seek returns the link-local address of the router on an interface (RFC 5549 calls such
// sessions unnumbered), once the kernel knows of one: from its router advertisements, or
// as a neighbor. Unseen is called if it does not yet.
func seek(ctx context.Context, name string, unseen func()) (netip.Addr, error) {
	updates, done := make(chan netlink.NeighUpdate), make(chan struct{})
	// What is sent to nobody would keep the subscription's goroutine.
	defer func() {
		close(done)
		go func() {
			for range updates {
			}
		}()
	}()
	if err := netlink.NeighSubscribeWithOptions(updates, done, netlink.NeighSubscribeOptions{}); err != nil {
		return netip.Addr{}, &unconnected{err: fmt.Errorf("watch the neighbors: %w", err)}
	}
	for {
		// It may be made anew meanwhile.
		link, err := netlink.LinkByName(name)
		if err != nil {
			return netip.Addr{}, &unconnected{err: fmt.Errorf("interface %s: %w", name, err)}
		}
		neighbors, err := netlink.NeighList(link.Attrs().Index, netlink.FAMILY_V6)
		if err != nil {
			return netip.Addr{}, &unconnected{err: fmt.Errorf("list the neighbors on %s: %w", name, err)}
		}
		if router, ok := choose(neighbors); ok {
			return router.WithZone(name), nil
		}
		unseen()
		select {
		case <-ctx.Done():
			return netip.Addr{}, context.Cause(ctx)
		case _, ok := <-updates:
			if !ok {
				return netip.Addr{}, &unconnected{err: errUnseen}
			}
		}
	}
}

// choose picks the router among neighbors: the one that says it is, by the R flag of its
// advertisements (RFC 4861 section 4.4); else the only one that there is.
func choose(neighbors []netlink.Neigh) (router netip.Addr, ok bool) {
	var others []netip.Addr
	for _, n := range neighbors {
		address, valid := netip.AddrFromSlice(n.IP)
		if !valid || !address.IsLinkLocalUnicast() || n.State&(unix.NUD_FAILED|unix.NUD_NOARP) != 0 {
			continue
		}
		switch {
		case n.Flags&unix.NTF_ROUTER == 0:
			others = append(others, address)
		case !router.IsValid() || address.Less(router):
			router = address
		}
	}
	if !router.IsValid() && len(others) == 1 {
		return others[0], true
	}
	return router, router.IsValid()
}
