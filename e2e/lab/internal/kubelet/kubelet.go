// Package kubelet is a small kubelet without a container runtime. A Pod is a
// network namespace on a veth, as with a point-to-point CNI plugin. Containers
// of Herald's image, and of others that there are programs for, are run as
// processes; any other image is a server that says who it is and who asked.
package kubelet

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/heraldlb/herald/e2e/lab/internal/topology"
)

// Config is what a kubelet is told.
type Config struct {
	NodeName   string
	Addresses  []netip.Addr // the node's own, IPv4 first
	Kubeconfig string       // file
	State      string       // directory for volumes and containers
	Logs       string       // directory for the containers' output
	Programs   string       // directory of herald and herald-announcer
	// Certificate is the path of the serving certificate and key, without
	// .crt and .key.
	Certificate string
}

// Kubelet runs the Pods of one node. It runs in the node's network namespace.
type Kubelet struct {
	config    Config
	log       *slog.Logger
	client    kubernetes.Interface
	node      topology.Namespace
	addresses *addressPool
	version   string // of Kubernetes

	mu      sync.Mutex
	workers map[types.UID]*worker
}

// Run registers the node and runs its Pods until ctx ends; then they end, too.
func Run(ctx context.Context, config Config, log *slog.Logger) error {
	clientConfig, err := clientcmd.BuildConfigFromFlags("", config.Kubeconfig)
	if err != nil {
		return err
	}
	clientConfig.QPS = -1
	client, err := kubernetes.NewForConfig(clientConfig)
	if err != nil {
		return err
	}
	own, err := topology.OwnNamespace()
	if err != nil {
		return err
	}
	k := &Kubelet{config: config, log: log, client: client, node: own, workers: map[types.UID]*worker{}}
	if err := k.register(ctx); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return k.renewLease(ctx) })
	group.Go(func() error { return k.serveLogs(ctx) })
	group.Go(func() error { return k.keepReady(ctx) })
	group.Go(func() error {
		cidrs, err := k.awaitPodCIDRs(ctx)
		if err != nil {
			return err
		}
		k.addresses = newAddressPool(cidrs)
		return k.runPods(ctx)
	})
	return group.Wait()
}

// runPods starts a worker for each Pod that is bound to the node.
func (k *Kubelet) runPods(ctx context.Context) error {
	factory := informers.NewSharedInformerFactoryWithOptions(k.client, 0,
		informers.WithTweakListOptions(func(options *metav1.ListOptions) {
			options.FieldSelector = fields.OneTermEqualSelector("spec.nodeName", k.config.NodeName).String()
		}))
	var group sync.WaitGroup
	_, err := factory.Core().V1().Pods().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { k.update(ctx, &group, object) },
		UpdateFunc: func(_, object any) { k.update(ctx, &group, object) },
		DeleteFunc: k.forget,
	})
	if err != nil {
		return err
	}
	factory.StartWithContext(ctx)
	<-ctx.Done()
	factory.Shutdown()
	group.Wait()
	return ctx.Err()
}

// update hands a Pod's newest version to its worker, which is started if it is
// new. A Pod that has ended is nobody's work.
func (k *Kubelet) update(ctx context.Context, group *sync.WaitGroup, object any) {
	pod, ok := object.(*corev1.Pod)
	if !ok {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	w, ok := k.workers[pod.UID]
	if !ok {
		if pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
			return
		}
		w = newWorker(k, pod)
		k.workers[pod.UID] = w
		group.Go(func() { w.run(ctx) })
		return
	}
	w.update(pod)
}

// forget ends the worker of a Pod that is no longer in the API.
func (k *Kubelet) forget(object any) {
	if unknown, ok := object.(cache.DeletedFinalStateUnknown); ok {
		object = unknown.Obj
	}
	pod, ok := object.(*corev1.Pod)
	if !ok {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if w, ok := k.workers[pod.UID]; ok {
		close(w.gone)
		delete(k.workers, pod.UID)
	}
}
