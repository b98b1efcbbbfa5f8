package l2test

import (
	"bytes"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// SnoopingBridge makes the host a switch that snoops MLD, and is the querier,
// in version 1 or 2 of the protocol.
func (h *Host) SnoopingBridge(t testing.TB, name string, version uint8, ports ...string) {
	t.Helper()
	// The querier asks from a link-local address that it has probed.
	h.Sysctl(t, "net/ipv6/conf/default/accept_dad", "0")
	must(t, h.LinkAdd(&netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: name}}))
	for _, p := range ports {
		must(t, h.LinkSetMaster(h.Link(t, p), h.Link(t, name)))
	}
	h.Up(t, name)
	// In hundredths of a second: it asks every second, and snoops once the
	// answers to the first query had time to come. That is when the querier
	// starts, so it is started last.
	h.setBridge(t, name,
		nl.NewRtAttr(nl.IFLA_BR_MCAST_STARTUP_QUERY_INTVL, nl.Uint64Attr(100)),
		nl.NewRtAttr(nl.IFLA_BR_MCAST_QUERY_INTVL, nl.Uint64Attr(100)),
		nl.NewRtAttr(nl.IFLA_BR_MCAST_QUERY_RESPONSE_INTVL, nl.Uint64Attr(10)),
		nl.NewRtAttr(nl.IFLA_BR_MCAST_MLD_VERSION, nl.Uint8Attr(version)),
	)
	h.setBridge(t, name, nl.NewRtAttr(nl.IFLA_BR_MCAST_QUERIER, nl.Uint8Attr(1)))
}

// setBridge sets attributes of a bridge.
func (h *Host) setBridge(t testing.TB, name string, attributes ...*nl.RtAttr) {
	t.Helper()
	request := nl.NewNetlinkRequest(unix.RTM_NEWLINK, unix.NLM_F_ACK)
	header := nl.NewIfInfomsg(unix.AF_UNSPEC)
	header.Index = int32(h.Link(t, name).Attrs().Index)
	request.AddData(header)
	info := nl.NewRtAttr(unix.IFLA_LINKINFO, nil)
	info.AddRtAttr(nl.IFLA_INFO_KIND, nl.NonZeroTerminated("bridge"))
	data := nl.NewRtAttr(nl.IFLA_INFO_DATA, nil)
	for _, a := range attributes {
		data.AddChild(a)
	}
	info.AddChild(data)
	request.AddData(info)
	h.Do(t, func() error {
		_, err := request.Execute(unix.NETLINK_ROUTE, 0)
		return err
	})
}

// WaitMember waits until the host's bridge knows a port with listeners to a
// group.
func (h *Host) WaitMember(t testing.TB, group netip.Addr) {
	t.Helper()
	socket, err := nl.SubscribeAt(h.ns, netns.None(), unix.NETLINK_ROUTE, unix.RTNLGRP_MDB)
	must(t, err)
	defer socket.Close()
	timeout := unix.NsecToTimeval(Patience.Nanoseconds())
	must(t, socket.SetReceiveTimeout(&timeout))
	bytesOf := group.As16()
	known := func(body []byte) bool { return bytes.Contains(body, bytesOf[:]) }
	if slices.ContainsFunc(h.multicastEntries(t), known) {
		return
	}
	for {
		messages, _, err := socket.Receive()
		if err != nil {
			t.Fatalf("waited for a listener to %s: %v", group, err)
		}
		for _, m := range messages {
			if m.Header.Type == unix.RTM_NEWMDB && known(m.Data) {
				return
			}
		}
	}
}

// multicastEntries returns the messages that hold the bridges' forwarding
// entries for multicast.
func (h *Host) multicastEntries(t testing.TB) (bodies [][]byte) {
	t.Helper()
	request := nl.NewNetlinkRequest(unix.RTM_GETMDB, unix.NLM_F_DUMP)
	request.AddData(nl.NewIfInfomsg(unix.AF_BRIDGE))
	h.Do(t, func() (err error) {
		bodies, err = request.Execute(unix.NETLINK_ROUTE, unix.RTM_GETMDB)
		return err
	})
	return bodies
}

// Poll calls is until it returns true. It is for what no kernel notifies.
func Poll(t testing.TB, what string, is func() bool) {
	t.Helper()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	timeout := time.After(Patience)
	for !is() {
		select {
		case <-ticker.C:
		case <-timeout:
			t.Fatalf("waited for %s", what)
		}
	}
}
