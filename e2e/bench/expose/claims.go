package expose

import (
	"context"
	"net/netip"
	"sync"

	"github.com/heraldlb/herald/e2e/bench/clock"
	"github.com/heraldlb/herald/e2e/suite/claim"
)

// claims remembers when addresses were claimed on the segment.
type claims struct {
	listener *claim.Listener

	mu      sync.Mutex
	seen    map[netip.Addr][]clock.Instant
	changed chan struct{} // closed and renewed at each change of seen
}

// listen begins to take note.
func listen(link string) (*claims, error) {
	listener, err := claim.Listen(link)
	if err != nil {
		return nil, err
	}
	c := &claims{listener: listener, seen: map[netip.Addr][]clock.Instant{}, changed: make(chan struct{})}
	go c.read()
	return c, nil
}

func (c *claims) close() { _ = c.listener.Close() }

// read returns when the listener is closed.
func (c *claims) read() {
	for {
		heard, err := c.listener.Next()
		if err != nil {
			return
		}
		at, err := clock.Now()
		if err != nil {
			return
		}
		c.mu.Lock()
		c.seen[heard.Address] = append(c.seen[heard.Address], at)
		close(c.changed)
		c.changed = make(chan struct{})
		c.mu.Unlock()
	}
}

// first waits until the address has been claimed since an clock.Instant, and returns
// when it first was; 0 if ctx ends before.
func (c *claims) first(ctx context.Context, address netip.Addr, since clock.Instant) clock.Instant {
	for {
		at, changed := c.look(address, since)
		if at != 0 {
			return at
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return 0
		}
	}
}

func (c *claims) look(address netip.Addr, since clock.Instant) (clock.Instant, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, at := range c.seen[address] {
		if at >= since {
			return at, nil
		}
	}
	return 0, c.changed
}
