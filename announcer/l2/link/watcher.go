package link

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/mdlayher/socket"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
	"golang.org/x/time/rate"
)

// Watcher tells what the interfaces are, at first and after each change.
type Watcher struct {
	log   *slog.Logger
	table *table
	// receiveBuffer is the size in bytes of what the kernel keeps for us.
	receiveBuffer int
	// known: everything was read once.
	known bool
	// complaints bounds what is logged of objects that cannot be read.
	complaints rate.Sometimes

	mu          sync.Mutex
	subscribers []chan []Interface
	// newest is what was published last, nil if nothing.
	newest []Interface
}

// receiveBuffer holds a burst of some hundred notifications.
const receiveBuffer = 1 << 20

// NewWatcher returns a watcher of the network namespace that it is run in.
func NewWatcher(log *slog.Logger) *Watcher {
	return &Watcher{
		log: log, table: newTable(), receiveBuffer: receiveBuffer,
		complaints: rate.Sometimes{First: 10, Interval: time.Minute},
	}
}

// Subscribe returns a channel that gives the Ethernet interfaces, sorted by
// index, as soon as they are known and after each change. Who is late finds the
// newest state and none of those between; Epoch tells what came and went
// meanwhile. What is received is shared by all subscribers.
func (w *Watcher) Subscribe() <-chan []Interface {
	w.mu.Lock()
	defer w.mu.Unlock()
	changes := make(chan []Interface, 1)
	if w.newest != nil {
		changes <- w.newest
	}
	w.subscribers = append(w.subscribers, changes)
	return changes
}

// Run watches until ctx ends, then returns nil. It returns an error if the
// kernel cannot be asked at first; later it asks until it is told.
func (w *Watcher) Run(ctx context.Context) error { return w.keep(ctx, w.follow) }

// resyncWait is the time until the kernel is asked again after an error.
const resyncWait = time.Second

// keep follows until ctx ends, from the start again after each error.
func (w *Watcher) keep(ctx context.Context, follow func(context.Context) error) error {
	for {
		err := follow(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case !w.known:
			return fmt.Errorf("watch interfaces: %w", err)
		case errors.Is(err, unix.ENOBUFS):
			w.log.Warn("notifications of interfaces were lost, reading all anew")
			continue
		}
		w.log.Error("cannot watch interfaces, trying again", "error", err, "after", resyncWait)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(resyncWait):
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
	w.known = true
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
			changed = w.apply(m) || changed
		}
		if changed {
			w.publish()
		}
	}
}

// apply takes in one notification and reports whether it changed anything.
func (w *Watcher) apply(m syscall.NetlinkMessage) bool {
	switch m.Header.Type {
	case unix.RTM_NEWLINK, unix.RTM_DELLINK:
		l, err := parseLink(m.Data)
		switch {
		case err != nil:
			w.skip(err)
			return false
		case m.Header.Type == unix.RTM_NEWLINK:
			return w.table.setLink(l)
		default:
			return w.table.deleteLink(l.index)
		}
	case unix.RTM_NEWADDR, unix.RTM_DELADDR:
		a, err := parseAddress(m.Data)
		switch {
		case err != nil:
			w.skip(err)
			return false
		case m.Header.Type == unix.RTM_NEWADDR:
			return w.table.setAddress(a)
		default:
			return w.table.deleteAddress(a.index, a.address)
		}
	default:
		return false
	}
}

// skip notes why an object is passed over: the others are no worse for it.
func (w *Watcher) skip(err error) {
	if errors.Is(err, errBridge) || errors.Is(err, errPartial) {
		return // as it is to be
	}
	w.complaints.Do(func() { w.log.Warn("passing over what rtnetlink says", "error", err) })
}

// dump reads all links and addresses.
func (w *Watcher) dump() error {
	links, err := request(unix.RTM_GETLINK, unix.RTM_NEWLINK, nl.NewIfInfomsg(unix.AF_UNSPEC), parseLink, w.skip)
	if err != nil {
		return fmt.Errorf("list links: %w", err)
	}
	addresses, err := request(unix.RTM_GETADDR, unix.RTM_NEWADDR, nl.NewIfAddrmsg(unix.AF_UNSPEC), parseAddress, w.skip)
	if err != nil {
		return fmt.Errorf("list addresses: %w", err)
	}
	w.table.replace(links, addresses)
	return nil
}

// request dumps one kind of object, less those that cannot be read. A dump
// during which something changed is taken as it is: the change is notified.
func request[T any](get int, answer uint16, header nl.NetlinkRequestData, parse func([]byte) (T, error), skip func(error)) ([]T, error) {
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
			skip(err)
			continue
		}
		all = append(all, object)
	}
	return all, nil
}

// publish puts the newest state where the subscribers find it.
func (w *Watcher) publish() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.newest = w.table.interfaces()
	for _, changes := range w.subscribers {
		select {
		case <-changes:
		default:
		}
		changes <- w.newest
	}
}
