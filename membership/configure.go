package membership

import (
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/announcer/l2/link"
	"github.com/heraldlb/herald/internal/datagram"
	"github.com/heraldlb/herald/membership/wire"
)

// reconfigure gives the thread new orders if what is wanted changed.
func (d *desk) reconfigure() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.stale {
		return
	}
	d.stale = false
	d.number++
	o := &orders{number: d.number, cluster: wire.ClusterOf(d.wanted.cluster), keys: d.keys.keys}
	used := make(map[portKey]bool)
	for i := range d.wanted.interfaces {
		if s := d.segment(&d.wanted.interfaces[i], used); s != nil {
			o.links = append(o.links, s)
		}
	}
	for key, p := range d.ports {
		if !used[key] {
			d.retired = append(d.retired, retired{port: p, from: d.number})
			delete(d.ports, key)
		}
	}
	// Each of those who seal or open has a hash of his own.
	o.sealer, o.opener = wire.NewSealer(o.cluster, d.keys.signing()), wire.NewOpener(o.cluster, o.keys...)
	d.opener = wire.NewOpener(o.cluster, o.keys...)
	d.outbox.sealer, d.outbox.segments = wire.NewSealer(o.cluster, d.keys.signing()), o.links
	d.thread.orders.Store(o)
	d.wakeThread()
}

// tellListening tells on which interfaces others can be heard, if it changed.
func (d *desk) tellListening() {
	var open []int
	for _, s := range d.outbox.segments { // only the desk changes them
		open = append(open, s.index)
	}
	slices.Sort(open)
	if !slices.Equal(open, d.listening) {
		d.listening = open
		d.observer.Listening(open)
	}
}

// segment makes the segment of an interface, nil if it is of no use.
func (d *desk) segment(i *link.Interface, used map[portKey]bool) *segment {
	d.roster.names[i.Index] = i.Name
	if !i.Up {
		return nil
	}
	s := &segment{index: i.Index, prefixes: i.Prefixes, datagram: make([]byte, 0, wire.MaxDatagram)}
	var left int
	if s.told, left = wire.OnLink(i.Prefixes); left > 0 {
		d.quiet.log(d.log, "prefixes "+i.Name, "there are too many prefixes to tell others of", "interface", i.Name, "left", left)
	}
	for _, is4 := range []bool{true, false} {
		if !slices.ContainsFunc(i.Prefixes, func(p netip.Prefix) bool { return p.Addr().Is4() == is4 }) {
			continue
		}
		key := portKey{link: i.Index, is4: is4}
		p := d.ports[key]
		if p == nil {
			if p = d.openPort(i, is4); p == nil {
				continue
			}
			d.ports[key] = p
		}
		used[key] = true
		s.lines = append(s.lines, line{port: p, to: d.destinations(s, is4)})
	}
	if len(s.lines) == 0 {
		return nil
	}
	return s
}

// openPort opens a port, or returns nil and has it tried again.
func (d *desk) openPort(i *link.Interface, is4 bool) *port {
	fd, err := d.open(socketOf{link: i.Index, name: i.Name, is4: is4, port: d.options.Port})
	if err != nil {
		d.quiet.log(d.log, "open "+i.Name+family(is4), "no heartbeats, trying again", "interface", i.Name, "family", family(is4), "error", err)
		d.retry = true
		d.roster.complain("no heartbeats on "+i.Name+" by "+family(is4)+": "+err.Error(), time.Now())
		return nil
	}
	return &port{link: i.Index, name: i.Name, is4: is4, fd: fd, traffic: d.counts.traffic(i.Name, family(is4))}
}

// destinations are where the heartbeats of a segment and family go.
func (d *desk) destinations(s *segment, is4 bool) []datagram.Address {
	if !d.options.Unicast {
		group := group6()
		if is4 {
			group = group4()
		}
		return []datagram.Address{datagram.NewAddress(netip.AddrPortFrom(group, d.options.Port), s.index)}
	}
	var all []datagram.Address
	for _, peer := range d.wanted.peers {
		if peer.Is4() == is4 && s.onLink(peer) {
			all = append(all, datagram.NewAddress(netip.AddrPortFrom(peer, d.options.Port), s.index))
		}
	}
	return all
}

// retire closes the ports that the thread uses no more.
func (d *desk) retire() {
	applied := d.thread.applied.Load()
	d.retired = slices.DeleteFunc(d.retired, func(r retired) bool {
		if r.from > applied {
			return false
		}
		if err := unix.Close(r.fd); err != nil {
			d.log.Error("cannot close a socket", "interface", r.name, "error", err)
		}
		return true
	})
}
