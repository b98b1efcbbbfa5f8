package lease

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/controlplane"
	"github.com/heraldlb/herald/internal/apiserver"
)

// office is where all the seats of a test are: two taken at once are a failure.
type office struct {
	t       *testing.T
	changed chan struct{}

	mu      sync.Mutex
	holders map[string]announcer.BootTime
	history []string
}

func newOffice(t *testing.T) *office {
	return &office{t: t, changed: make(chan struct{}, 1), holders: make(map[string]announcer.BootTime)}
}

// seat is that of one node.
type seat struct {
	*office
	node string
}

func (s seat) Hold(term controlplane.Term) {
	s.change(func(now announcer.BootTime) {
		for other, until := range s.holders {
			if other != s.node && until > now {
				s.t.Errorf("%s holds the VIP for %s more when %s takes it", other, until.Sub(now), s.node)
			}
		}
		if s.holders[s.node] < now {
			s.history = append(s.history, s.node)
		}
		s.holders[s.node] = term.Until
	})
}

func (s seat) Renew() {}

func (s seat) Release() { s.change(func(announcer.BootTime) { delete(s.holders, s.node) }) }

func (s seat) Vacant(context.Context) error { return nil }

func (s seat) change(change func(now announcer.BootTime)) {
	now, err := announcer.Now()
	if err != nil {
		s.t.Error(err)
	}
	s.mu.Lock()
	change(now)
	s.mu.Unlock()
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// await waits until these held the VIP, one after the other.
func (o *office) await(history ...string) {
	o.t.Helper()
	timeout := time.After(30 * time.Second)
	for {
		o.mu.Lock()
		got := slices.Clone(o.history)
		o.mu.Unlock()
		if slices.Equal(got, history) {
			return
		}
		select {
		case <-o.changed:
		case <-timeout:
			o.t.Fatalf("the VIP was held by %v, want %v", got, history)
		}
	}
}

func quick(node string) Options {
	return Options{
		Identity: node, Namespace: "default", Name: DefaultName,
		Duration: 2 * time.Second, RenewDeadline: time.Second, RetryPeriod: 200 * time.Millisecond,
	}
}

// candidate is an elector that runs.
type candidate struct {
	ready chan bool
	stop  context.CancelFunc
	done  chan error
}

func run(t *testing.T, o *office, config *rest.Config, node string) *candidate {
	t.Helper()
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	elector, err := New(quick(node), client.CoordinationV1(), slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	c := &candidate{ready: make(chan bool, 1), stop: cancel, done: make(chan error, 1)}
	go func() {
		c.done <- elector.Run(ctx, c.ready, seat{o, node})
		close(c.done)
	}()
	t.Cleanup(c.end(t))
	return c
}

// end ends it, and waits for that.
func (c *candidate) end(t *testing.T) func() {
	return func() {
		c.stop()
		if err := <-c.done; err != nil {
			t.Error(err)
		}
	}
}

// The Lease goes to who is ready, is given back when the VIP is off, and goes on.
func TestElection(t *testing.T) {
	config := apiserver.Start(t)
	o := newOffice(t)
	a, b := run(t, o, config, "a"), run(t, o, config, "b")
	a.ready <- true
	o.await("a")
	b.ready <- true
	a.ready <- false
	o.await("a", "b")
	a.ready <- true
	b.end(t)()
	o.await("a", "b", "a")
}

// Who no longer reaches the API server holds the VIP until its term ends, and nobody has
// it before:
func TestCutOff(t *testing.T) {
	config := apiserver.Start(t)
	o := newOffice(t)
	cut := &cutter{}
	cutOff := rest.CopyConfig(config)
	cutOff.Wrap(cut.wrap)
	a, b := run(t, o, cutOff, "a"), run(t, o, config, "b")
	a.ready <- true
	o.await("a")
	b.ready <- true
	cut.cut()
	o.await("a", "b")
}

func TestCheck(t *testing.T) {
	good := quick("a")
	if err := good.Check(); err != nil {
		t.Errorf("%+v: %v", good, err)
	}
	for name, spoil := range map[string]func(*Options){
		"no identity":         func(o *Options) { o.Identity = "" },
		"no name":             func(o *Options) { o.Name = "" },
		"half a second":       func(o *Options) { o.Duration = 1500 * time.Millisecond },
		"nothing":             func(o *Options) { o.Duration = 0 },
		"deadline too long":   func(o *Options) { o.RenewDeadline = 2 * time.Second },
		"retries too seldom":  func(o *Options) { o.RetryPeriod = 900 * time.Millisecond },
		"no time for a retry": func(o *Options) { o.RetryPeriod = 0 },
	} {
		o := quick("a")
		if spoil(&o); !errors.Is(o.Check(), ErrInvalid) {
			t.Errorf("%s: error %v, want ErrInvalid", name, o.Check())
		}
	}
}
