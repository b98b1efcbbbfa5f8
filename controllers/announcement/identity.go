package announcement

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/heraldlb/herald/announcer"
)

// The wait before the identity of the cluster is asked for again: from the first,
// doubled, to the second.
const (
	identityRetry    = 250 * time.Millisecond
	identityRetryMax = 30 * time.Second
	identityTimeout  = 10 * time.Second
)

// learnCluster learns which cluster this is, and tells the announcer, which
// listens to no other's. The UID of kube-system is what others take for that too:
// the namespace lives as long as its cluster. It returns when it knows, or when
// ctx ends.
func (a *agent) learnCluster(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for retry := identityRetry; ; retry = min(2*retry, identityRetryMax) {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		uid, err := a.readCluster(ctx)
		if err == nil {
			a.identified.Store(true)
			return a.surroundings.change(func(f *announcer.Facts) { f.Cluster = uid })
		}
		if ctx.Err() == nil {
			a.log.Error(err, "the cluster is not known yet, and so the announcer is told nothing",
				"namespace", metav1.NamespaceSystem, "retry", retry)
		}
		timer.Reset(retry)
	}
}

func (a *agent) readCluster(ctx context.Context) (uid string, err error) {
	ctx, cancel := context.WithTimeout(ctx, identityTimeout)
	defer cancel()
	var namespace corev1.Namespace
	err = a.manager.GetAPIReader().Get(ctx, client.ObjectKey{Name: metav1.NamespaceSystem}, &namespace)
	return string(namespace.UID), err
}
