package portmapping

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/upnp"
	"github.com/heraldlb/herald/controllers/loadbalancer"
)

// index finds the Services that ask for the gateway, or did.
const index = "herald.upnp"

// Owners tell who answers for addresses: controllers/announcement's Owned.
type Owners interface {
	// Status returns the announcer's last word on an address, false if it said none.
	Status(netip.Addr) (announcer.Status, bool)
	// Connected tells whether the announcer is there.
	Connected() bool
	// Notify has f called after each change.
	Notify(f func())
}

// Options are what the port mapping is told.
type Options struct {
	// Node is the name of the node that the agent runs on.
	Node string
	// Class says which Services are Herald's.
	Class loadbalancer.Class
	// Gateway is the gateway's address; not valid: the one that the node routes by.
	Gateway netip.Addr
	Owners  Owners
	// View returns the membership as the announcer told of it last.
	View func() (announcer.View, bool)
	// Metrics is where the metrics are registered.
	Metrics prometheus.Registerer
	// Ended is closed when the port mapping is done with, after the manager's context
	// has ended: until then it has to hear of owners.
	Ended chan<- struct{}
}

// keeper holds the parts together.
type keeper struct {
	Options
	log    logr.Logger
	cache  client.Reader
	mapper *upnp.Mapper
	held   holdings
	teller *teller
	wake   chan struct{}
}

// SetUp adds the port mapping to mgr, whose cache has been made with announcement's
// CacheOptions. It elects no leader.
func SetUp(ctx context.Context, mgr ctrl.Manager, o Options) error {
	log := mgr.GetLogger().WithName("portmapping")
	k := &keeper{
		Options: o, log: log,
		cache: mgr.GetCache(),
		held:  make(holdings),
		wake:  make(chan struct{}, 1),
		teller: &teller{
			status:  mgr.GetClient().Status(),
			events:  mgr.GetEventRecorder("herald-agent"),
			writes:  rate.NewLimiter(writesPerSecond, writesBurst),
			changed: make(map[types.UID]string),
			told:    make(map[types.UID]*telling),
		},
	}
	k.mapper = upnp.NewMapper(upnp.Options{Gateway: o.Gateway, Log: slog.New(logr.ToSlogHandler(log)), Changed: k.signal})
	err := mgr.GetFieldIndexer().IndexField(ctx, &corev1.Service{}, index, func(object client.Object) []string {
		if svc, ok := object.(*corev1.Service); ok && k.concerns(svc) {
			return []string{"true"}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("index Services: %w", err)
	}
	informer, err := mgr.GetCache().GetInformer(ctx, &corev1.Service{}, blocking(false))
	if err != nil {
		return fmt.Errorf("watch Services: %w", err)
	}
	concerned := func(object any) {
		if svc, ok := object.(*corev1.Service); !ok || k.concerns(svc) {
			k.signal()
		}
	}
	_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc:    concerned,
		UpdateFunc: func(before, after any) { concerned(before); concerned(after) },
		DeleteFunc: concerned,
	})
	if err != nil {
		return fmt.Errorf("watch Services: %w", err)
	}
	o.Owners.Notify(k.signal)
	if err := o.Metrics.Register(&collector{mapper: k.mapper}); err != nil {
		return fmt.Errorf("register metrics: %w", err)
	}
	return mgr.Add(runnable(k.run))
}

// concerns tells whether svc asks for the gateway, or has a word of ours on it.
func (k *keeper) concerns(svc *corev1.Service) bool {
	return k.Class.Matches(svc) &&
		(loadbalancer.UPnP(svc) || strings.TrimSpace(svc.Annotations[loadbalancer.AnnotationUPnPExternal]) != "")
}

// signal has a new plan made. It never blocks.
func (k *keeper) signal() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

func (k *keeper) roleOf(addr netip.Addr) role {
	status, known := k.Owners.Status(addr)
	return roleOf(k.Node, status, known)
}

// runnable is what runs on every node, leader or not.
type runnable func(context.Context) error

// Start implements manager.Runnable.
func (r runnable) Start(ctx context.Context) error { return r(ctx) }

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (runnable) NeedLeaderElection() bool { return false }
