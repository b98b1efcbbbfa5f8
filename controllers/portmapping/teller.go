package portmapping

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/heraldlb/herald/controllers/loadbalancer"
)

// How often is told.
const (
	writesPerSecond = 10
	writesBurst     = 50
	// patience is how long a problem has stood when it is told: what follows from a
	// move is over by then.
	patience = 3 * time.Second
	// warnInterval and warnBurst are for the Warnings of one Service.
	warnInterval = 5 * time.Minute
	warnBurst    = 4
	// retry is the wait after a write that failed.
	retry = 5 * time.Second
)

// teller tells the owners of Services what came of it. The annotation is the memory of
// what was told: where it says already what there is to say, nothing is written.
type teller struct {
	status client.SubResourceWriter
	events events.EventRecorder
	writes *rate.Limiter
	// changed are the versions of Services that were written over. Until the cache
	// shows another, a further write is bound to be refused.
	changed map[types.UID]string
	told    map[types.UID]*telling
}

// telling is what was told of a problem of a Service.
type telling struct {
	reason, problem string
	since           time.Time
	told            bool
	limiter         *rate.Limiter
}

// forget drops what is known of Services but those.
func (t *teller) forget(but []corev1.Service) {
	there := make(map[types.UID]bool, len(but))
	for i := range but {
		there[but[i].UID] = true
	}
	for uid := range t.told {
		if !there[uid] {
			delete(t.told, uid)
		}
	}
	for uid := range t.changed {
		if !there[uid] {
			delete(t.changed, uid)
		}
	}
}

// tell writes the annotation and the events that are due. It returns when another may
// be; zero: when something happens.
func (t *teller) tell(ctx context.Context, svc *corev1.Service, o outcome) (time.Time, error) {
	if o.pending {
		return time.Time{}, nil // the gateway has yet to answer, which wakes us
	}
	recovered, again := t.warn(svc, o, time.Now())
	before := svc.Annotations[loadbalancer.AnnotationUPnPExternal]
	if before == o.external {
		if recovered && o.external != "" {
			t.eventMapped(svc, o)
		}
		return again, nil
	}
	if t.changed[svc.UID] == svc.ResourceVersion {
		return again, nil // the cache will show it, and wake us
	}
	if err := t.writes.Wait(ctx); err != nil {
		return again, err
	}
	desired := svc.DeepCopy()
	if o.external == "" {
		delete(desired.Annotations, loadbalancer.AnnotationUPnPExternal)
	} else {
		metav1.SetMetaDataAnnotation(&desired.ObjectMeta, loadbalancer.AnnotationUPnPExternal, o.external)
	}
	err := t.status.Patch(ctx, desired, client.StrategicMergeFrom(svc, client.MergeFromWithOptimisticLock{}))
	switch {
	case apierrors.IsConflict(err), apierrors.IsNotFound(err):
		return earlier(again, time.Now().Add(retry)), nil // the cache has yet to show another's change
	case err != nil:
		return again, fmt.Errorf("annotate Service %s: %w", nameOf(svc), err)
	}
	t.changed[svc.UID] = svc.ResourceVersion
	if o.external != "" {
		t.eventMapped(svc, o)
	}
	return again, nil
}

func (t *teller) eventMapped(svc *corev1.Service, o outcome) {
	t.events.Eventf(svc, nil, corev1.EventTypeNormal, eventMapped, "MapPorts", "%s", mapped(o.external))
}

// warn makes an event of a problem that has stood for a while, once. It tells whether one
// that was told is over, and when there may be something to tell.
func (t *teller) warn(svc *corev1.Service, o outcome, now time.Time) (recovered bool, again time.Time) {
	telling := t.told[svc.UID]
	if telling == nil {
		telling = newTelling()
		t.told[svc.UID] = telling
	}
	if telling.reason != o.reason || telling.problem != o.problem {
		recovered = telling.told && o.reason == ""
		telling.reason, telling.problem, telling.since, telling.told = o.reason, o.problem, now, false
	}
	if o.reason == "" || telling.told {
		return recovered, time.Time{}
	}
	if due := telling.since.Add(patience); due.After(now) {
		return false, due
	}
	reservation := telling.limiter.ReserveN(now, 1)
	if wait := reservation.DelayFrom(now); wait > 0 {
		reservation.CancelAt(now)
		return false, now.Add(wait)
	}
	telling.told = true
	t.events.Eventf(svc, nil, corev1.EventTypeWarning, o.reason, "MapPorts", "%s", o.problem)
	return false, time.Time{}
}

func newTelling() *telling {
	return &telling{limiter: rate.NewLimiter(rate.Every(warnInterval), warnBurst)}
}
