package link

import (
	"log/slog"
	"syscall"
	"testing"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// newLink is a notification of eth0, index 2, with some attributes.
func newLink(flags uint32, attributes ...*nl.RtAttr) syscall.NetlinkMessage {
	header := nl.NewIfInfomsg(unix.AF_UNSPEC)
	header.Index, header.Type, header.Flags = 2, unix.ARPHRD_ETHER, flags
	m := syscall.NetlinkMessage{Header: syscall.NlMsghdr{Type: unix.RTM_NEWLINK}, Data: header.Serialize()}
	for _, a := range attributes {
		m.Data = append(m.Data, a.Serialize()...)
	}
	return m
}

// What is partial or cannot be read changes nothing.
func TestApplyPassesOver(t *testing.T) {
	const up = unix.IFF_UP | unix.IFF_RUNNING
	w := NewWatcher(slog.New(slog.DiscardHandler))
	whole := newLink(up, nl.NewRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated("eth0")), nl.NewRtAttr(unix.IFLA_ADDRESS, []byte{2, 0, 0, 0, 0, 2}))
	if !w.apply(whole) {
		t.Fatal("a new link is no news")
	}
	before := w.table.interfaces()
	address := syscall.NetlinkMessage{Header: syscall.NlMsghdr{Type: unix.RTM_NEWADDR}}
	for name, m := range map[string]syscall.NetlinkMessage{
		"wireless extensions":           newLink(up, nl.NewRtAttr(unix.IFLA_WIRELESS, make([]byte, 16))),
		"wireless extensions, down":     newLink(0, nl.NewRtAttr(unix.IFLA_WIRELESS, make([]byte, 16))),
		"a link cut off":                {Header: whole.Header, Data: whole.Data[:8]},
		"an attribute cut off":          {Header: whole.Header, Data: whole.Data[:len(whole.Data)-6]},
		"an address cut off":            address,
		"an address without an address": {Header: address.Header, Data: nl.NewIfAddrmsg(unix.AF_INET).Serialize()},
	} {
		if w.apply(m) {
			t.Errorf("%s: news", name)
		}
		if after := w.table.interfaces(); len(after) != 1 || after[0].Name != "eth0" || !after[0].Up || after[0].Epoch != before[0].Epoch {
			t.Errorf("%s: interfaces %+v", name, after)
		}
	}
}
