package service

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"sync"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/heraldlb/herald/config"
	"github.com/heraldlb/herald/ipam"
)

// pools keeps the book's pools those of the ConfigMap. One that is invalid or
// gone changes nothing: the last good pools stay, and an event says why. It works
// on every replica, so that a new leader has the last good pools; events are the
// leader's.
type pools struct {
	cache   client.Reader
	name    types.NamespacedName
	book    *book
	faults  faultReporter
	metrics *metrics
	leading atomic.Bool // events may be told

	mu     sync.Mutex
	config *config.Config    // the one in use, nil before the first good one
	data   map[string]string // what it was read from
}

// Reconcile implements reconcile.Reconciler.
func (p *pools) Reconcile(ctx context.Context, _ reconcile.Request) (reconcile.Result, error) {
	return reconcile.Result{}, p.load(ctx)
}

// load reads the ConfigMap, and the Nodes, whose own addresses should not be in it.
func (p *pools) load(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()

	configMap := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: p.name.Namespace, Name: p.name.Name}}
	err := p.cache.Get(ctx, p.name, configMap)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("read ConfigMap %s: %w", p.name, err)
	}
	var nodes corev1.NodeList
	if err := p.cache.List(ctx, &nodes); err != nil {
		return fmt.Errorf("list Nodes: %w", err)
	}
	if apierrors.IsNotFound(err) {
		p.missing(configMap)
		return nil
	}
	faults, used := p.use(ctx, configMap)
	if !p.leading.Load() {
		return nil
	}
	p.faults.report(configMap, faults, nil)
	if used {
		p.reportNodes(configMap, nodes.Items)
		p.reportSelectors(configMap, nodes.Items)
	}
	return nil
}

// use makes the ConfigMap's pools those in use, unless it is invalid.
func (p *pools) use(ctx context.Context, configMap *corev1.ConfigMap) (faults config.Faults, used bool) {
	parsed, faults := config.Parse(configMap.Data)
	if parsed == nil {
		p.keep(fmt.Sprintf("is refused: %v", faults.Err()))
		log.FromContext(ctx).Error(faults.Err(), "The pools stay as they were", "configMap", p.name)
		return faults, false
	}
	p.metrics.configStale.Set(0)
	if p.config != nil && maps.Equal(p.data, configMap.Data) {
		p.book.setOrigin(p.origin())
		return faults, true
	}
	p.book.setPools(order(parsed), ipamPools(parsed), p.origin())
	p.config, p.data = parsed, configMap.Data
	p.metrics.configLoaded.SetToCurrentTime()
	log.FromContext(ctx).Info("Pools loaded", "configMap", p.name, "pools", len(parsed.Pools))
	return faults, true
}

func (p *pools) missing(configMap *corev1.ConfigMap) {
	kept := p.keep("does not exist")
	if p.leading.Load() {
		p.faults.missing(configMap, "does not exist; "+kept)
	}
}

// keep leaves the pools as they are, since the ConfigMap has a fault, and says
// which those are.
func (p *pools) keep(fault string) (kept string) {
	kept = "the last good pools stay in use"
	if p.config == nil {
		kept = "no valid one was read since this controller started"
	}
	p.metrics.configStale.Set(1)
	p.book.setOrigin(poolsOrigin{fmt.Sprintf("ConfigMap %s %s; %s", p.name, fault, kept), true})
	return kept
}

func (p *pools) origin() poolsOrigin {
	return poolsOrigin{note: fmt.Sprintf("pools come from ConfigMap %s", p.name)}
}

func order(c *config.Config) ipam.Order {
	if c.Order == config.Descending {
		return ipam.Descending
	}
	return ipam.Ascending
}

func ipamPools(c *config.Config) []ipam.Pool {
	pools := make([]ipam.Pool, 0, len(c.Pools))
	for _, pool := range c.Pools {
		pools = append(pools, ipam.Pool{Name: pool.Scope, Addresses: pool.Addresses, Share: pool.Share})
	}
	return pools
}

// reportNodes warns of pools that hold an address of a Node.
func (p *pools) reportNodes(configMap *corev1.ConfigMap, nodes []corev1.Node) {
	for i := range nodes {
		node := &nodes[i]
		faults := p.config.NodeAddressFaults(map[string][]netip.Addr{node.Name: addressesOf(node)})
		p.faults.report(configMap, faults, node)
	}
}

// reportSelectors warns of what bgp.yaml says for nodes that there are none of.
func (p *pools) reportSelectors(configMap *corev1.ConfigMap, nodes []corev1.Node) {
	if p.config.BGP == nil {
		return
	}
	all := make([]labels.Set, len(nodes))
	for i := range nodes {
		all[i] = nodes[i].Labels
	}
	p.faults.report(configMap, p.config.BGP.Unselected(all), nil)
}

func addressesOf(node *corev1.Node) []netip.Addr {
	var addresses []netip.Addr
	for _, address := range node.Status.Addresses {
		// Host names are among them; they do not parse.
		if parsed, err := netip.ParseAddr(address.Address); err == nil {
			addresses = append(addresses, parsed)
		}
	}
	return addresses
}
