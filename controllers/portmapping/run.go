package portmapping

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/heraldlb/herald/announcer"
)

// What an agent that ends waits for: that it is known who answers for its addresses,
// which the announcer settles within a second, and that the gateway has removed the rest.
const (
	successionWait = 1200 * time.Millisecond
	removalWait    = 500 * time.Millisecond
)

// blocking says whether an informer is waited for.
func blocking(wait bool) cache.InformerGetOption { return cache.BlockUntilSynced(wait) }

// run plans until ctx ends, and then leaves behind what somebody else takes over.
func (k *keeper) run(ctx context.Context) error {
	defer close(k.Ended)
	beyond, cancel := context.WithCancel(context.WithoutCancel(ctx))
	mapping := make(chan error, 1)
	go func() { mapping <- k.mapper.Run(beyond) }()
	k.loop(ctx, func() bool { return false })
	k.leave(beyond)
	cancel()
	return <-mapping
}

// loop makes plans until ctx ends, or done says so.
func (k *keeper) loop(ctx context.Context, done func() bool) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		again, err := k.pass(ctx)
		if done() || ctx.Err() != nil {
			return
		}
		if err != nil {
			k.log.Error(err, "not all Services were told where they are reached from outside", "retry", retry)
			again = earlier(again, time.Now().Add(retry))
		}
		timer.Stop()
		if !again.IsZero() {
			timer.Reset(time.Until(again))
		}
		select {
		case <-ctx.Done():
			return
		case <-k.wake:
		case <-timer.C:
		}
	}
}

// earlier returns the earlier of two times; the zero time is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// pass makes a plan, tells the mapper, and tells the Services what came of it. It returns
// when to do so again though nothing happens; zero: never.
func (k *keeper) pass(ctx context.Context) (again time.Time, err error) {
	var list corev1.ServiceList
	if err := k.cache.List(ctx, &list, client.MatchingFields{index: "true"}); err != nil {
		return time.Time{}, fmt.Errorf("list Services that ask for the gateway: %w", err)
	}
	k.teller.forget(list.Items)
	if len(list.Items) == 0 && len(k.held) == 0 {
		return time.Time{}, nil
	}
	all := requests(list.Items, k.roleOf)
	p := k.held.update(all, time.Now())
	k.mapper.Set(p.wants, p.leave)
	again = p.again

	statuses := k.mapper.Statuses()
	by := make(map[types.NamespacedName][]request)
	for _, r := range all {
		by[r.service] = append(by[r.service], r)
	}
	var failed []error
	for i := range list.Items {
		svc := &list.Items[i]
		var o outcome
		var ours bool
		if asks(svc) {
			o, ours = judge(svc, by[nameOf(svc)], statuses)
		} else {
			o, ours = judgeUnwanted(svc, k.roleOf)
		}
		if !ours || svc.DeletionTimestamp != nil {
			continue
		}
		at, err := k.teller.tell(ctx, svc, o)
		failed = append(failed, err)
		again = earlier(again, at)
	}
	return again, errors.Join(failed...)
}

// leave removes what nobody takes over.
func (k *keeper) leave(ctx context.Context) {
	if len(k.held) == 0 {
		return
	}
	waiting, cancel := context.WithTimeout(ctx, successionWait)
	defer cancel()
	k.loop(waiting, func() bool {
		for rule := range k.held {
			if k.roleOf(rule.Client) == mine {
				return false
			}
		}
		return true
	})
	k.mapper.Set(nil, k.held.farewell(k.succeeded))
	removing, cancel := context.WithTimeout(ctx, removalWait)
	defer cancel()
	for !k.mapper.Settled() {
		select {
		case <-removing.Done():
			k.log.Info("the gateway keeps mappings until their leases are over")
			return
		case <-k.wake:
		}
	}
}

// succeeded tells whether somebody answers for an address when this agent has ended:
// another node, or this one's announcer, which stays.
func (k *keeper) succeeded(addr netip.Addr) bool {
	switch k.roleOf(addr) {
	case others:
		return true
	case nobodys:
		return false
	default:
		// An announcer that ended meanwhile may not have had time for a last word.
		return k.Owners.Connected() || k.standing()
	}
}

// standing tells whether other nodes take addresses, as far as was heard.
func (k *keeper) standing() bool {
	view, known := k.View()
	if !known {
		return false
	}
	for _, member := range view.Members {
		if member.State == announcer.Alive && member.Standing {
			return true
		}
	}
	return false
}
