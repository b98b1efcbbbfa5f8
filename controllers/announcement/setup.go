package announcement

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/controllers/advertisement"
	"github.com/heraldlb/herald/controllers/loadbalancer"
	"github.com/heraldlb/herald/nodesocket"
)

// reconcileTimeout bounds a reconciliation; only the reporter's waits at all.
const reconcileTimeout = 30 * time.Second

// Options are what the agent is told.
type Options struct {
	// Node is the name of the node that the agent runs on.
	Node string
	// Pools names the ConfigMap of the address pools.
	Pools types.NamespacedName
	// Class says which Services are Herald's.
	Class loadbalancer.Class
	// ServeExcluded has nodes own addresses that are excluded from external load
	// balancers, as kubeadm does with those of the control plane. It has to be the same
	// on all nodes.
	ServeExcluded bool
	// Routers are told of addresses by BGP. It is set up here.
	Routers *advertisement.Advertiser
	// Socket is the path that the announcer listens on.
	Socket string
	// Metrics is where the announcer's metrics are registered.
	Metrics prometheus.Registerer
	// Contact is exposed as a metric; may be nil.
	Contact *Contact
	// View is kept up to date with the membership as the announcer sees it; may
	// be nil.
	View *LatestView
	// Owned is kept up to date with who owns which address; may be nil.
	Owned *Owned
	// Until is how long the announcer is heard after the agent was told to end: until
	// it is closed. Nil: no longer.
	Until <-chan struct{}
}

// agent holds the parts together.
type agent struct {
	node       string
	manager    ctrl.Manager
	log        logr.Logger
	facts      *facts
	pools      *pools
	ledger     *ledger
	client     *nodesocket.Client
	routers    *advertisement.Advertiser
	reconciler *reconciler
	reports    *inbox
	view       *LatestView

	surroundings *surroundings
	// watched are the sources of what is announced.
	watched []watched
	// known says that there is a Node of the agent's name, identified that the
	// cluster is known, synced that the announcer may be told.
	known, identified, synced atomic.Bool
}

// SetUp adds the agent to mgr, whose cache has been made with CacheOptions. It
// elects no leader. Its checks for /healthz and /readyz are added too.
func SetUp(ctx context.Context, mgr ctrl.Manager, o Options) error {
	if o.Node == "" {
		return errors.New("the agent needs the name of its node")
	}
	log := mgr.GetLogger().WithName("announcement")
	a := &agent{
		node:         o.Node,
		manager:      mgr,
		log:          log,
		facts:        &facts{cache: mgr.GetCache(), class: o.Class, serveExcluded: o.ServeExcluded},
		ledger:       newLedger(),
		reports:      new(inbox),
		view:         cmp.Or(o.View, new(LatestView)),
		surroundings: new(surroundings),
		routers:      o.Routers,
	}
	a.pools = &pools{
		cache: mgr.GetCache(), key: o.Pools, log: log, rebalance: a.tellRebalance,
		routers: a.routers.Configure, byBGP: a.routers.Fallback(),
	}
	contact := cmp.Or(o.Contact, new(Contact))
	lookout, err := a.newLookout(contact.away)
	if err != nil {
		return err
	}
	owned := cmp.Or(o.Owned, new(Owned))
	observer := &observer{ledger: a.ledger, report: a.reports.add, alone: lookout.set, view: a.view, owned: owned, paths: a.routers}
	a.client = nodesocket.NewClient(o.Socket, observer, slog.New(logr.ToSlogHandler(log.WithName("nodesocket"))))
	a.surroundings.tell = a.client.Facts
	owned.connected = a.client.Connected
	a.reconciler = &reconciler{
		self: o.Node, facts: a.facts, pools: a.pools, ledger: a.ledger,
		target: a.client, routes: a.routers, report: a.reports.add,
	}
	a.routers.Bind(a.tellPaths, a.tellUnnumbered, func() {
		for _, addr := range a.ledger.routed() {
			a.reports.add(addr)
		}
	})
	if err := a.facts.index(ctx, mgr.GetFieldIndexer()); err != nil {
		return err
	}
	if err := a.addControllers(); err != nil {
		return err
	}
	if err := o.Metrics.Register(newCollector(a.client.Connected, contact.there, observer.latest)); err != nil {
		return fmt.Errorf("register metrics: %w", err)
	}
	return errors.Join(
		a.routers.SetUp(ctx, mgr),
		mgr.Add(runnable(lasting(a.client.Run, o.Until))),
		mgr.Add(runnable(a.firstPass)),
		mgr.Add(runnable(lookout.run)),
		mgr.AddReadyzCheck("node", is(a.known.Load, fmt.Sprintf("no Node is named %q, as far as is known", o.Node))),
		mgr.AddReadyzCheck("cluster", is(a.identified.Load, "the namespace kube-system was not read: it tells which cluster this is")),
		mgr.AddReadyzCheck("caches", is(a.synced.Load, "not synced with the API server")),
		mgr.AddReadyzCheck("announcer", is(a.client.Connected, "the announcer is away: nothing listens at "+o.Socket)),
	)
}

// newLookout returns one that tries the manager's API server.
func (a *agent) newLookout(away func() time.Duration) (*lookout, error) {
	try, err := reach(a.manager.GetConfig())
	if err != nil {
		return nil, err
	}
	return newLookout(try, away, func(cutOff bool) {
		if err := a.surroundings.change(func(f *announcer.Facts) { f.CutOff = cutOff }); err != nil {
			a.log.Error(err, "the announcer is not told whether this node is cut off", "cutOff", cutOff)
		}
	}), nil
}

// addControllers adds one controller that announces, and one that reports: what
// the latter writes may be slow, and must not make an address wait.
func (a *agent) addControllers() error {
	announce := &watchdog{name: "announce", TypedReconciler: a.reconciler}
	report := &watchdog{name: "report", TypedReconciler: &reporter{
		self: a.node, facts: a.facts, ledger: a.ledger, view: a.view, outcome: a.routers.Outcome,
		status: a.manager.GetClient().Status(),
		events: a.manager.GetEventRecorder("herald-agent"),
		writes: rate.NewLimiter(writesPerSecond, writesBurst),
		pace:   newPace(addressInterval, addressBurst), contests: newPace(contestInterval, contestBurst),
		changed: make(map[types.UID]string), words: make(map[netip.Addr]word),
	}}
	a.watched = a.sources()
	sources := make([]source.TypedSource[netip.Addr], 0, len(a.watched))
	for _, w := range a.watched {
		sources = append(sources, w)
	}
	if err := a.addController(announce, sources...); err != nil {
		return err
	}
	return a.addController(report, a.reports)
}

func (a *agent) addController(w *watchdog, sources ...source.TypedSource[netip.Addr]) error {
	c, err := controller.NewTyped("announcement-"+w.name, a.manager, controller.TypedOptions[netip.Addr]{
		Reconciler:            w,
		NeedLeaderElection:    new(false),
		ReconciliationTimeout: reconcileTimeout,
		// To wait for an API server that is away is what an agent is for.
		CacheSyncTimeout: 365 * 24 * time.Hour,
		RateLimiter:      workqueue.NewTypedItemExponentialFailureRateLimiter[netip.Addr](50*time.Millisecond, time.Minute),
	})
	if err != nil {
		return fmt.Errorf("add controller %s: %w", w.name, err)
	}
	for _, s := range sources {
		if err := c.Watch(s); err != nil {
			return fmt.Errorf("add source of controller %s: %w", w.name, err)
		}
	}
	return a.manager.AddHealthzCheck(w.name, w.check)
}

// runnable is what runs on every node, leader or not.
type runnable func(context.Context) error

// Start implements manager.Runnable.
func (r runnable) Start(ctx context.Context) error { return r(ctx) }

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (runnable) NeedLeaderElection() bool { return false }
