package main

import (
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/l2/l2test"
	"github.com/heraldlb/herald/controlplane"
	"github.com/heraldlb/herald/controlplane/entrusted"
)

// A VIP that is held by terms much shorter than what the kernel counts in stays where it
// is as long as they follow each other.
func TestControlPlaneShortTerms(t *testing.T) {
	p := newPlane(t, "10.0.0.50")
	p.start("node-1", "--elector", "raft")
	seat := entrusted.NewSeat(p.nodes["node-1"].socket, slog.New(slog.NewTextHandler(t.Output(), nil)))
	go func() { _ = seat.Run(t.Context()) }()
	updates, done := make(chan netlink.AddrUpdate), make(chan struct{})
	p.nodes["node-1"].Do(t, func() error { return netlink.AddrSubscribe(updates, done) })
	defer func() {
		close(done)
		for range updates { // until the subscription ends
		}
	}()
	word := time.NewTicker(30 * time.Millisecond)
	defer word.Stop()
	var end <-chan time.Time
	patience := time.After(l2test.Patience)
	for {
		select {
		case <-word.C:
			now, err := announcer.Now()
			if err != nil {
				t.Fatal(err)
			}
			seat.Hold(controlplane.Term{Until: now.Add(240 * time.Millisecond)})
		case u := <-updates:
			switch a, _ := netip.AddrFromSlice(u.LinkAddress.IP); {
			case a.Unmap() != p.vips[0]:
			case !u.NewAddr:
				t.Fatal("the VIP went, and was held")
			case end == nil:
				end = time.After(4 * time.Second) // The kernel looks at what ends once in a second or two.
			}
		case <-end:
			return
		case <-patience:
			t.Fatal("the VIP was not taken")
		}
	}
}
