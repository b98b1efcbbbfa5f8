package announcement

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/heraldlb/herald/config"
	"github.com/heraldlb/herald/config/bgp"
	"github.com/heraldlb/herald/controllers/loadbalancer"
)

// pools is the last good configuration. The agent reads no more of it than how
// addresses are announced; to tell of faults is the controller's part.
type pools struct {
	cache client.Reader
	key   types.NamespacedName
	log   logr.Logger
	// rebalance is told the word of AnnotationRebalance whenever it is read.
	rebalance func(word string)
	// routers is told what bgp.yaml says, nil if there is none; byBGP says that there
	// is a configuration of BGP elsewhere that counts then.
	routers func(*bgp.Config)
	byBGP   bool

	// loading keeps what was read earlier from being taken in later.
	loading sync.Mutex
	good    atomic.Pointer[config.Config]
}

// load reads the ConfigMap. If that is absent or has errors, the last good
// configuration stays.
func (p *pools) load(ctx context.Context) error {
	p.loading.Lock()
	defer p.loading.Unlock()
	var object corev1.ConfigMap
	err := p.cache.Get(ctx, p.key, &object)
	switch {
	case apierrors.IsNotFound(err):
		p.log.Info("no ConfigMap of pools", "configMap", p.key)
		return nil
	case err != nil:
		return fmt.Errorf("read ConfigMap %s: %w", p.key, err)
	}
	p.rebalance(object.Annotations[AnnotationRebalance])
	parsed, faults := config.Parse(object.Data)
	if parsed == nil {
		p.log.Error(faults.Err(), "invalid pools: the last good ones stay", "configMap", p.key)
		return nil
	}
	p.good.Store(parsed)
	p.routers(parsed.BGP)
	return nil
}

// announce returns how an address is announced: in each way that the pool of one of
// its holders says. Before there are pools, and for those of kube-vip's settings, it is
// as these have it.
func (p *pools) announce(holders []corev1.Service) (how config.Announce) {
	good := p.good.Load()
	if good == nil || good.BGP == nil {
		return config.Announce{L2: !p.byBGP, BGP: p.byBGP}
	}
	for i := range holders {
		a := good.Announce(holders[i].Namespace)
		how.L2, how.BGP = how.L2 || a.L2, how.BGP || a.BGP
	}
	return how
}

// scope returns that of the pool that a namespace draws from, "" if there is none.
func (p *pools) scope(namespace string) string {
	good := p.good.Load()
	if good == nil {
		return ""
	}
	pool, _ := good.Pool(namespace)
	return pool.Scope
}

// interfaceOf returns the interface that the holders of an address ask for by
// annotation, else the one of their pools, "" if neither names one.
func (p *pools) interfaceOf(holders []corev1.Service) string {
	for i := range holders {
		if name := loadbalancer.Interface(&holders[i]); name != "" {
			return name
		}
	}
	good := p.good.Load()
	if good == nil {
		return ""
	}
	for i := range holders {
		if name := good.Interface(holders[i].Namespace); name != "" {
			return name
		}
	}
	return ""
}
