package link

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"syscall"

	"github.com/mdlayher/socket"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Watcher tells what the interfaces are, at first and after each change.
type Watcher struct {
	log     *slog.Logger
	changes chan []Interface
	table   *table
	// receiveBuffer is the size in bytes of what the kernel keeps for us.
	receiveBuffer int
}

// receiveBuffer holds a burst of some hundred notifications.
const receiveBuffer = 1 << 20

// NewWatcher returns a watcher of the network namespace that it is run in.
func NewWatcher(log *slog.Logger) *Watcher {
	return &Watcher{log: log, changes: make(chan []Interface, 1), table: newTable(), receiveBuffer: receiveBuffer}
}

// Changes gives the Ethernet interfaces, sorted by index, after each change.
// Who is late finds the newest state and none of those between; Epoch tells
// what came and went meanwhile.
func (w *Watcher) Changes() <-chan []Interface { return w.changes }

// Run watches until ctx ends, then returns nil. It returns an error if the
// kernel cannot be asked.
func (w *Watcher) Run(ctx context.Context) error {
	for {
		err := w.follow(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, unix.ENOBUFS):
			w.log.Warn("notifications of interfaces were lost, reading all anew")
		default:
			return fmt.Errorf("watch interfaces: %w", err)
		}
	}
}

// skipStatistics is RTEXT_FILTER_SKIP_STATS of linux/rtnetlink.h.
const skipStatistics = 1 << 3

// follow reads everything once, then what changes, until an error.
func (w *Watcher) follow(ctx context.Context) error {
	conn, err := socket.Socket(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_ROUTE, "rtnetlink", nil)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetReadBuffer(w.receiveBuffer); err != nil {
		return err
	}
	// Notifications are asked for first: none is missed after the dump.
	err = conn.Bind(&unix.SockaddrNetlink{
		Family: unix.AF_NETLINK,
		Groups: unix.RTMGRP_LINK | unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV6_IFADDR,
	})
	if err != nil {
		return err
	}
	if err := w.dump(); err != nil {
		return err
	}
	w.publish()
	buffer := make([]byte, os.Getpagesize()*16)
	for {
		n, _, err := conn.Recvfrom(ctx, buffer, unix.MSG_TRUNC)
		if err != nil {
			return err
		}
		if n > len(buffer) {
			return unix.ENOBUFS
		}
		messages, err := syscall.ParseNetlinkMessage(buffer[:n])
		if err != nil {
			return err
		}
		changed := false
		for _, m := range messages {
			news, err := w.apply(m)
			if err != nil {
				return err
			}
			changed = changed || news
		}
		if changed {
			w.publish()
		}
	}
}

// apply takes in one notification and reports whether it changed anything.
func (w *Watcher) apply(m syscall.NetlinkMessage) (bool, error) {
	switch m.Header.Type {
	case unix.RTM_NEWLINK, unix.RTM_DELLINK:
		l, err := parseLink(m.Data)
		switch {
		case errors.Is(err, errBridge):
			return false, nil
		case err != nil:
			return false, err
		case m.Header.Type == unix.RTM_NEWLINK:
			return w.table.setLink(l), nil
		default:
			return w.table.deleteLink(l.index), nil
		}
	case unix.RTM_NEWADDR, unix.RTM_DELADDR:
		a, err := parseAddress(m.Data)
		switch {
		case err != nil:
			return false, err
		case m.Header.Type == unix.RTM_NEWADDR:
			return w.table.setAddress(a.index, a.address), nil
		default:
			return w.table.deleteAddress(a.index, a.address), nil
		}
	default:
		return false, nil
	}
}

// dump reads all links and addresses.
func (w *Watcher) dump() error {
	links, err := request(unix.RTM_GETLINK, unix.RTM_NEWLINK, nl.NewIfInfomsg(unix.AF_UNSPEC), parseLink)
	if err != nil {
		return fmt.Errorf("list links: %w", err)
	}
	addresses, err := request(unix.RTM_GETADDR, unix.RTM_NEWADDR, nl.NewIfAddrmsg(unix.AF_UNSPEC), parseAddress)
	if err != nil {
		return fmt.Errorf("list addresses: %w", err)
	}
	w.table.replace(links, addresses)
	return nil
}

// request dumps one kind of object. A dump during which something changed is
// taken as it is: the change is notified.
func request[T any](get int, answer uint16, header nl.NetlinkRequestData, parse func([]byte) (T, error)) ([]T, error) {
	req := nl.NewNetlinkRequest(get, unix.NLM_F_DUMP)
	req.AddData(header)
	if get == unix.RTM_GETLINK {
		req.AddData(nl.NewRtAttr(unix.IFLA_EXT_MASK, nl.Uint32Attr(skipStatistics)))
	}
	bodies, err := req.Execute(unix.NETLINK_ROUTE, answer)
	if err != nil && !errors.Is(err, nl.ErrDumpInterrupted) {
		return nil, err
	}
	all := make([]T, 0, len(bodies))
	for _, b := range bodies {
		object, err := parse(b)
		if err != nil {
			return nil, err
		}
		all = append(all, object)
	}
	return all, nil
}

// publish puts the newest state where Changes finds it.
func (w *Watcher) publish() {
	select {
	case <-w.changes:
	default:
	}
	w.changes <- w.table.interfaces()
}
