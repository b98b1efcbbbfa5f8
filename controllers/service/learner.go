package service

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/heraldlb/herald/controllers/loadbalancer"
	"github.com/heraldlb/herald/ipam"
)

const (
	learnRetry = time.Second
	learnPage  = 500
)

// learner fills the book of a new leader before the first Service is reconciled.
// It reads from the API server, not from the cache: what the former leader wrote
// last must not be missing.
type learner struct {
	live  client.Reader
	class loadbalancer.Class
	pools *pools
	book  *book
	done  chan struct{}
}

// Start implements manager.Runnable; the manager calls it once elected.
func (l *learner) Start(ctx context.Context) error {
	l.pools.leading.Store(true)
	err := wait.PollUntilContextCancel(ctx, learnRetry, true, func(ctx context.Context) (bool, error) {
		if err := l.learn(ctx); err != nil {
			log.FromContext(ctx).Error(err, "Cannot learn which addresses are held; trying again")
			return false, nil
		}
		return true, nil
	})
	if err != nil {
		return nil // stopped before it was done: nothing is to be told
	}
	close(l.done)
	return nil
}

// wait returns when the book is filled.
func (l *learner) wait(ctx context.Context) error {
	select {
	case <-l.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the addresses held are not known yet: %w", context.Cause(ctx))
	}
}

func (l *learner) learned() bool {
	select {
	case <-l.done:
		return true
	default:
		return false
	}
}

// usage tells how far the pools are used, once that is known: the leader tells.
func (l *learner) usage() []ipam.Usage {
	if !l.learned() {
		return nil
	}
	return l.book.allocator.Usage()
}

// standing tells how the Services stand, as the cache has them: the leader tells.
func (l *learner) standing(ctx context.Context, cache client.Reader) (standing, bool) {
	if !l.learned() {
		return standing{}, false
	}
	var services corev1.ServiceList
	if err := cache.List(ctx, &services, client.UnsafeDisableDeepCopy); err != nil {
		return standing{}, false // it ends
	}
	return standingOf(services.Items, l.class), true
}

// learn loads the pools, and enters every Service that Herald wrote to into the book.
func (l *learner) learn(ctx context.Context) error {
	if err := l.pools.load(ctx); err != nil {
		return err
	}
	var serving, leaving, reserving []claim
	for token := ""; ; {
		// Without a resourceVersion the API server gives what is true now.
		var page corev1.ServiceList
		err := l.live.List(ctx, &page, client.MatchingFields{"spec.type": string(corev1.ServiceTypeLoadBalancer)},
			client.Limit(learnPage), client.Continue(token))
		if err != nil {
			return fmt.Errorf("list Services: %w", err)
		}
		for i := range page.Items {
			switch svc := &page.Items[i]; roleIn(svc, l.class, false) {
			case roleServe:
				serving = append(serving, newClaim(svc))
			case roleLeave:
				leaving = append(leaving, newClaim(svc))
			case roleReserve:
				reserving = append(reserving, newClaim(svc))
			case roleNone:
			}
		}
		if token = page.Continue; token == "" {
			break
		}
	}
	l.book.learn(serving, leaving, reserving)
	return nil
}
