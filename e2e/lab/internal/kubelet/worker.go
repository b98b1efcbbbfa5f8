package kubelet

import (
	"context"
	"log/slog"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// retryInterval is how long what does not work yet waits for the next try.
const retryInterval = 500 * time.Millisecond

// worker runs one Pod: it keeps the containers, reports the status, and when
// the Pod is deleted stops them and lets the API forget it.
type worker struct {
	kubelet *Kubelet
	log     *slog.Logger
	pod     *corev1.Pod // newest version; run alone reads and writes it
	started metav1.Time
	keepers []*keeper

	updates chan *corev1.Pod // the newest version that run has not seen
	changed chan struct{}    // something to report
	gone    chan struct{}    // closed when the Pod is no longer in the API

	mu        sync.Mutex
	addresses addresses
}

// terminating is why a Pod's containers are stopped, and how long they may
// take.
type terminating struct{ grace time.Duration }

func (terminating) Error() string { return "the Pod is deleted" }

func newWorker(k *Kubelet, pod *corev1.Pod) *worker {
	w := &worker{
		kubelet: k,
		log:     k.log.With("pod", pod.Namespace+"/"+pod.Name),
		pod:     pod,
		started: metav1.Now(),
		updates: make(chan *corev1.Pod, 1),
		changed: make(chan struct{}, 1),
		gone:    make(chan struct{}),
	}
	for i := range pod.Spec.Containers {
		w.keepers = append(w.keepers, newKeeper(pod, &pod.Spec.Containers[i], w.notify))
	}
	return w
}

// update hands over a newer version; it never blocks.
func (w *worker) update(pod *corev1.Pod) {
	select {
	case <-w.updates:
	default:
	}
	w.updates <- pod
}

func (w *worker) notify() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// run returns when the Pod is gone or ctx ends, and nothing of it is left.
func (w *worker) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	term, terminate := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	pod := w.pod
	go func() {
		w.runContainers(ctx, term, pod)
		close(ended)
		w.notify()
	}()
	defer func() {
		cancel()
		terminate(nil)
		<-ended
	}()
	for {
		if w.pod.DeletionTimestamp != nil {
			terminate(terminating{grace: time.Duration(ptr.Deref(w.pod.DeletionGracePeriodSeconds, 0)) * time.Second})
		}
		done, err := w.report(ctx, ended)
		if done {
			return
		}
		var retry <-chan time.Time
		if err != nil && ctx.Err() == nil {
			w.log.Warn("report", "error", err)
			retry = time.After(retryInterval)
		}
		select {
		case w.pod = <-w.updates:
		case <-w.changed:
		case <-retry:
		case <-w.gone:
			return
		case <-ctx.Done():
			return
		}
	}
}

// report tells the API what is new; done once it may forget the Pod.
func (w *worker) report(ctx context.Context, ended <-chan struct{}) (done bool, err error) {
	stopped := isClosed(ended) // before the status, which then is the last one
	updated, err := w.kubelet.patchStatus(ctx, w.pod, w.status())
	if err != nil {
		return false, err
	}
	w.pod = updated
	if stopped && w.pod.DeletionTimestamp != nil {
		return true, w.kubelet.release(ctx, w.pod)
	}
	return false, nil
}

// runContainers makes what the containers need and keeps them until all have
// ended for good.
func (w *worker) runContainers(ctx, term context.Context, pod *corev1.Pod) {
	place, err := w.prepare(term, pod)
	if err != nil {
		return // deleted before it could start; the status has the reason
	}
	var group sync.WaitGroup
	for _, keeper := range w.keepers {
		group.Go(func() { keeper.run(ctx, term, place) })
	}
	group.Wait()
	if err := place.close(); err != nil {
		w.log.Error("clean up", "error", err)
	}
}

// prepare tries until it succeeds or ctx ends.
func (w *worker) prepare(ctx context.Context, pod *corev1.Pod) (*place, error) {
	for {
		place, err := w.kubelet.newPlace(ctx, pod)
		if err == nil {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.addresses = addresses{pod: place.addresses, host: w.kubelet.config.Addresses}
			return place, nil
		}
		for _, keeper := range w.keepers {
			keeper.wait("ContainerCreating", err.Error())
		}
		select {
		case <-time.After(retryInterval):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (w *worker) status() corev1.PodStatus {
	w.mu.Lock()
	addresses := w.addresses
	w.mu.Unlock()
	var containers []corev1.ContainerStatus
	for _, keeper := range w.keepers {
		containers = append(containers, keeper.status())
	}
	return podStatus(w.pod, w.started, addresses, containers)
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
