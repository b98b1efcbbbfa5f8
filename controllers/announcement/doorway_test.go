package announcement

import (
	"context"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"
)

// doorway is a way to the API server that can be shut.
type doorway struct {
	target string
	ln     net.Listener

	mu    sync.Mutex
	shut  bool
	conns map[net.Conn]bool
	// turned is closed when somebody came to the shut door.
	turned chan struct{}
}

func newDoorway(t *testing.T, target string) *doorway {
	t.Helper()
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &doorway{target: target, ln: ln, conns: make(map[net.Conn]bool)}
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			accepting.Go(func() { d.pass(t.Context(), conn) })
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		d.set(true)
		accepting.Wait()
	})
	return d
}

// set shuts the door, on those that are in it too, or opens it.
func (d *doorway) set(shut bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shut = shut
	for conn := range d.conns {
		_ = conn.Close()
	}
}

// hold keeps a connection to be closed; it is false if the door is shut.
func (d *doorway) hold(conn net.Conn) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.shut {
		d.conns[conn] = true
	} else if d.turned != nil {
		close(d.turned)
		d.turned = nil
	}
	return !d.shut
}

// await waits until somebody comes to the shut door.
func (d *doorway) await(t *testing.T) {
	t.Helper()
	d.mu.Lock()
	d.turned = make(chan struct{})
	turned := d.turned
	d.mu.Unlock()
	select {
	case <-turned:
	case <-time.After(patience):
		t.Fatal("nobody came")
	}
}

func (d *doorway) pass(ctx context.Context, in net.Conn) {
	defer func() { _ = in.Close() }()
	out, err := new(net.Dialer).DialContext(ctx, "tcp", d.target)
	if err != nil {
		return
	}
	defer func() { _ = out.Close() }()
	if !d.hold(in) || !d.hold(out) {
		return
	}
	var copying sync.WaitGroup
	copying.Go(func() { _, _ = io.Copy(out, in); _ = out.Close() })
	_, _ = io.Copy(in, out)
	_ = in.Close()
	copying.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.conns, in)
	delete(d.conns, out)
}

func testAPIServerAway(c *cluster) {
	c.node("a")
	first := c.service("first", addrs("192.0.2.1"))
	h := c.announcer("a")
	server, err := url.Parse(c.config.Host)
	if err != nil {
		c.t.Fatal(err)
	}
	door := newDoorway(c.t, server.Host)
	h.api = throughDoor(h.api, door)

	// It starts while the API server is away, and waits.
	door.set(true)
	h.launch()
	door.await(c.t)
	door.set(false)
	h.awaitExactly(c.t, addr("192.0.2.1"))
	c.awaitService(first, "the condition", announcedBy("a"))

	door.set(true)
	h.mu.Lock()
	snapshots, differences := h.snapshots, h.differences
	h.mu.Unlock()
	second := c.service("second", addrs("192.0.2.2"))
	door.await(c.t)
	poll(c.t, "the loss to be noted", func() bool { return !h.contact.there() })
	door.set(false)
	c.awaitService(second, "the condition", announcedBy("a"))
	h.awaitExactly(c.t, addrs("192.0.2.1", "192.0.2.2")...)
	if !h.contact.there() {
		c.t.Error("the API server answers, and is said to be lost")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.snapshots != snapshots || h.differences != differences+1 {
		c.t.Errorf("%d snapshots and %d differences while the API server was away, want none and the one of after",
			h.snapshots-snapshots, h.differences-differences)
	}
}

func throughDoor(config *rest.Config, d *doorway) *rest.Config {
	config = rest.CopyConfig(config)
	config.Host = "https://" + d.ln.Addr().String()
	return config
}
