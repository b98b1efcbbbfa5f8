package advertisement

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/types"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/bgp"
	config "github.com/heraldlb/herald/config/bgp"
)

// speaker has sessions with routers. Sessions is cheap, and no method blocks but Run,
// which withdraws all that was told before it returns.
type speaker interface {
	// Set says what the sessions are, and all that each is to tell.
	Set([]bgp.Peer)
	// Reset ends a session, for a reason in words, so that it is begun anew.
	Reset(peer, reason string)
	Sessions() []bgp.Session
	Run(context.Context) error
}

// Options are what an Advertiser is told.
type Options struct {
	// Node is the name of the node that the agent runs on.
	Node string
	// Secret names the one with the passwords of sessions.
	Secret types.NamespacedName
	// Fallback is the configuration where the ConfigMap has none; may be nil.
	Fallback *config.Config
	// Metrics is where those of the sessions are registered.
	Metrics prometheus.Registerer
	Log     *slog.Logger
}

// Advertiser tells this node's routers of addresses. Its methods are safe for
// concurrent use, and none blocks but Run.
type Advertiser struct {
	o       Options
	log     *slog.Logger
	speaker speaker
	cluster cluster
	journal *journal
	// links reads those of the host.
	links func() (links, error)
	wake  chan struct{}
	// watch has the announcer watch paths by BFD, appear has it make this node known on
	// interfaces, reports is told when an Outcome may have changed. All are set before Run.
	watch   func([]announcer.BFDPeer) error
	appear  func(interfaces []string) error
	reports func()

	mu sync.Mutex
	// synced says that all addresses are known, and the configuration.
	synced    bool
	config    *config.Config
	addresses map[netip.Addr]Address
	passwords passwords
	stale     stale
	done      done
	paths     *paths
}

// stale are the parts that are to be done anew.
type stale struct{ selection, links, plan bool }

// done is what the loop did last, and alone changes.
type done struct {
	node
	selection *selection
	ends      []end
	// linksRead is when ends were found.
	linksRead time.Time
	peers     []bgp.Peer
	// sessions are the speaker's and those that are withheld, as Sessions has them.
	sessions []bgp.Session
	// settled is when the selection, or whether a session is up, last changed.
	settled    time.Time
	complaints []complaint
}

// New returns an Advertiser. SetUp gives it its cluster.
func New(o Options) *Advertiser {
	a := &Advertiser{
		o: o, log: o.Log,
		links:     readLinks,
		wake:      make(chan struct{}, 1),
		watch:     func([]announcer.BFDPeer) error { return nil },
		appear:    func([]string) error { return nil },
		reports:   func() {},
		config:    o.Fallback,
		addresses: make(map[netip.Addr]Address),
		done:      done{selection: new(selection)},
		paths:     newPaths(),
		journal:   newJournal(),
	}
	a.speaker = bgp.New(o.Log, a.rouse)
	return a
}

// Bind says who is told what routers to watch by BFD, on which interfaces a router has to
// learn this node's address, and that an Outcome may have changed. It is called before Run.
func (a *Advertiser) Bind(watch func([]announcer.BFDPeer) error, appear func(interfaces []string) error, reports func()) {
	a.watch, a.appear, a.reports = watch, appear, reports
}

// Fallback says whether there is a configuration beside the ConfigMap's.
func (a *Advertiser) Fallback() bool { return a.o.Fallback != nil }

// Configure says what the ConfigMap's bgp.yaml is, nil if there is none.
func (a *Advertiser) Configure(c *config.Config) {
	if c == nil {
		c = a.o.Fallback
	}
	a.change(func(s *stale) {
		s.selection = s.selection || a.config != c
		a.config = c
	})
}

// Put has this node advertise an address.
func (a *Advertiser) Put(address Address) {
	a.change(func(s *stale) {
		before, had := a.addresses[address.Address]
		s.plan = s.plan || !had || !before.equal(address)
		a.addresses[address.Address] = address
	})
}

// Delete has it do so no more.
func (a *Advertiser) Delete(addr netip.Addr) {
	a.change(func(s *stale) {
		_, had := a.addresses[addr]
		s.plan = s.plan || had
		delete(a.addresses, addr)
	})
}

// Synced says that all addresses were put, and the configuration is known. Before
// that no router is told anything.
func (a *Advertiser) Synced() {
	a.change(func(s *stale) { a.synced, s.selection = true, true })
}

// change has the loop do what f finds to be stale.
func (a *Advertiser) change(f func(*stale)) {
	a.mu.Lock()
	f(&a.stale)
	changed := a.stale != stale{}
	a.mu.Unlock()
	if changed {
		a.rouse()
	}
}

func (a *Advertiser) rouse() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

const (
	// settle is how long the loop waits for more of a burst of changes.
	settle = 20 * time.Millisecond
	// linksPause parts two looks at addresses and routes: on a node where Pods come and go
	// they change all the time, and next hops seldom.
	linksPause = time.Second
	// retry is the wait after the kernel would not say what its addresses are.
	retry = time.Second
)

// Run has sessions with routers until ctx ends, and then withdraws all that they were
// told. It returns nil, or why the speaker could not begin.
func (a *Advertiser) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return a.speaker.Run(ctx) })
	group.Go(func() error { a.follow(ctx); return nil })
	group.Go(func() error { a.loop(ctx); return nil })
	return group.Wait()
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: it runs on every node.
func (*Advertiser) NeedLeaderElection() bool { return false }

// Start implements manager.Runnable.
func (a *Advertiser) Start(ctx context.Context) error { return a.Run(ctx) }

// follow has the loop told of links until ctx ends.
func (a *Advertiser) follow(ctx context.Context) {
	for ctx.Err() == nil {
		err := followLinks(ctx, func() { a.change(func(s *stale) { s.links = true }) })
		if errors.Is(err, context.Canceled) || ctx.Err() != nil {
			return
		}
		a.log.Error("next hops may be out of date", "error", err, "retry", retry)
		if !pause(ctx, retry) {
			return
		}
	}
}

func (a *Advertiser) loop(ctx context.Context) {
	again := time.NewTimer(0)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.wake:
			if !pause(ctx, settle) {
				return
			}
		case <-again.C:
		}
		if wait := a.update(ctx); wait > 0 {
			again.Reset(wait)
		}
	}
}

// pause returns false if ctx ended meanwhile.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
