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
	"reflect"
	"slices"
	"sync/atomic"
	"time"

	"github.com/heraldlb/herald/announcer"
)

// ErrFull is wrapped by the error about a candidacy that is one too many.
var ErrFull = errors.New("too many candidacies")

// Observer takes what the announcer says. Its methods are called from one
// goroutine at a time and must not block.
type Observer interface { //nolint:interfacebloat // the words of one conversation
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
	// ObserveView is told how the announcer sees the others, on a change and
	// every few seconds.
	ObserveView(announcer.View)
}

// Client is the agent's end. It remembers what the agent said, and keeps an
// announcer told of it whenever there is one.
type Client struct {
	path     string
	observer Observer
	log      *slog.Logger
	timing   timing
	desired  *outbox[announcer.Candidacy]
	// facts are the newest, nil if none were told.
	facts atomic.Pointer[announcer.Facts]

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
		desired:  newOutbox(candidacyBytes, nil),
	}
}

// Put begins, or changes, a candidacy. To put what stands already does nothing,
// whatever it says of Probe, which is of the beginning. It never blocks. The
// error wraps ErrInvalid or ErrFull, and nothing was changed then.
func (c *Client) Put(candidacy announcer.Candidacy) error {
	if err := Validate(candidacy); err != nil {
		return err
	}
	if old, held := c.desired.get(candidacy.Address); held && sameCandidacy(old, candidacy) {
		return nil
	}
	candidacy.Hosts = slices.Clone(candidacy.Hosts)
	if !c.desired.set(candidacy.Address, candidacy) {
		return fmt.Errorf("%w: %s would be more than %d", ErrFull, candidacy.Address, MaxAddresses)
	}
	return nil
}

// sameCandidacy reports whether two say the same, but for Probe. No hosts and
// all hosts are not the same.
func sameCandidacy(a, b announcer.Candidacy) bool {
	return a.Interface == b.Interface && a.Eligible == b.Eligible && a.Until == b.Until &&
		(a.Hosts == nil) == (b.Hosts == nil) && slices.Equal(a.Hosts, b.Hosts)
}

// Delete says that no Service holds an address any more; unknown ones are
// ignored. It never blocks.
func (c *Client) Delete(addr netip.Addr) { c.desired.remove(addr) }

// Facts says what is known beyond single addresses. To say the same again does
// nothing. It never blocks. The error wraps ErrInvalid, and nothing was changed
// then.
func (c *Client) Facts(f announcer.Facts) error {
	if err := ValidateFacts(f); err != nil {
		return err
	}
	if old := c.facts.Load(); old != nil && sameFacts(*old, f) {
		return nil
	}
	f.Peers, f.Backends = slices.Clone(f.Peers), slices.Clone(f.Backends)
	f.BFD, f.Unnumbered = slices.Clone(f.BFD), slices.Clone(f.Unnumbered)
	c.facts.Store(&f)
	c.desired.signal()
	return nil
}

func sameFacts(a, b announcer.Facts) bool {
	same := slices.Equal(a.Peers, b.Peers)
	a.Peers, b.Peers = nil, nil
	return same && reflect.DeepEqual(a, b)
}

// Synced says that the candidacies are complete. Until then the announcer is
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
