package nodesocket

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/heraldlb/herald/announcer"
)

// ErrFull is wrapped by the error about an announcement that is one too many.
var ErrFull = errors.New("too many announcements")

// Observer takes what the announcer says. Its methods are called from one
// goroutine at a time and must not block.
type Observer interface {
	// Reset begins a connection: what was observed before counts no more. It may
	// be of an announcer that is gone, and a last word of it may be lost.
	Reset()
	// Away says that there has been no connection for ten seconds. It is said
	// once, until the next Reset.
	Away()
	// Observe is told the state of every address when a connection begins, and
	// every change of it.
	Observe(announcer.Status)
	// ObserveSamples is told all samples at once, every few seconds.
	ObserveSamples([]announcer.Sample)
}

// Client is the agent's end. It remembers what is to be announced, and keeps
// an announcer told of it whenever there is one.
type Client struct {
	path     string
	observer Observer
	log      *slog.Logger
	timing   timing
	desired  *outbox[announcer.Announcement]

	synced    atomic.Bool
	connected atomic.Bool
}

// NewClient returns a client that dials the Unix socket at path when run.
func NewClient(path string, observer Observer, log *slog.Logger) *Client {
	return &Client{
		path:     path,
		observer: observer,
		log:      log,
		timing:   defaultTiming(),
		desired:  newOutbox[announcer.Announcement](nil),
	}
}

// Put begins, or changes, an announcement. To put what stands already does
// nothing, whatever it says of Probe, which is of the beginning. It never
// blocks. The error wraps ErrInvalid or ErrFull, and nothing was changed then.
func (c *Client) Put(a announcer.Announcement) error {
	if err := Validate(a); err != nil {
		return err
	}
	if old, held := c.desired.get(a.Address); held && old.Interface == a.Interface {
		return nil
	}
	if !c.desired.set(a.Address, a) {
		return fmt.Errorf("%w: %s would be more than %d", ErrFull, a.Address, MaxAddresses)
	}
	return nil
}

// Delete ends an announcement; unknown ones are ignored. It never blocks.
func (c *Client) Delete(addr netip.Addr) { c.desired.remove(addr) }

// Synced says that the announcements are complete. Until then the announcer is
// told nothing, since a part of them would withdraw the rest.
func (c *Client) Synced() {
	c.synced.Store(true)
	c.desired.signal()
}

// Connected reports whether an announcer of the same version is there.
func (c *Client) Connected() bool { return c.connected.Load() }

// Run keeps a connection until ctx ends, then returns nil.
func (c *Client) Run(ctx context.Context) error {
	wait := c.timing.backoff[0]
	last, away := time.Now(), false
	for first := true; ; first = false {
		greeted, err := c.connect(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if greeted {
			last, away = time.Now(), false
		}
		if !away && time.Since(last) >= c.timing.away {
			away = true
			c.observer.Away()
		}
		level := slog.LevelDebug
		if greeted || first {
			wait, level = c.timing.backoff[0], slog.LevelWarn
		}
		c.log.Log(ctx, level, "no connection to the announcer", "error", err, "retry", wait)
		// Jitter: from half to the whole of the wait.
		timer := time.NewTimer(wait/2 + rand.N(wait/2+1))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
		wait = min(2*wait, c.timing.backoff[1])
	}
}

// connect sees one connection to its end, and reports whether it got as far as
// the announcer's hello.
func (c *Client) connect(ctx context.Context) (greeted bool, err error) {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", c.path)
	if errors.Is(err, fs.ErrPermission) {
		return false, fmt.Errorf("%w (the socket admits the group of its directory: in a Pod, its fsGroup)", err)
	}
	if err != nil {
		return false, err
	}
	l := newLink(conn, c.timing)
	defer l.close()
	stop := context.AfterFunc(ctx, l.close)
	err = l.greet(roleAgent)
	stop()
	if err != nil {
		return false, err
	}
	c.observer.Reset()
	c.connected.Store(true)
	defer c.connected.Store(false)
	c.log.Info("connected to the announcer")
	up := &upstream{client: c}
	return true, l.run(ctx, talk{handle: up.handle, pending: up.pending, wake: c.desired.wake, beat: ping})
}
