package service

import (
	"fmt"
	"hash/fnv"
	"time"

	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// The same status is written again a few times at once, and then at intervals:
// whoever undid it may be another controller, which does so for ever.
const (
	rewritesAtOnce  = 5
	rewriteInterval = time.Minute
)

// attempts is what became of the writes of one Service.
type attempts struct {
	written uint64        // the status that was written last
	failed  uint64        // the status that could not be written, as told
	again   *rate.Limiter // of writing the same once more
	told    bool          // that another controller writes this status
}

// contested says that a write is to wait, since what it writes was undone time
// and again.
type contested struct {
	wait  time.Duration
	first bool // it is the first time
}

func (contested) Error() string { return "another controller writes the status" }

// pause returns a contested error if desired was written before and undone too
// often, else nil.
func (b *book) pause(svc, desired *corev1.Service) error {
	b.mu.Lock()
	defer b.mu.Unlock()

	e := b.entries[client.ObjectKeyFromObject(svc)]
	if e == nil || e.attempts.written != fingerprint(desired) {
		return nil
	}
	if e.attempts.again == nil {
		e.attempts.again = rate.NewLimiter(rate.Every(rewriteInterval), rewritesAtOnce)
	}
	reservation := e.attempts.again.Reserve()
	wait := reservation.Delay()
	if wait == 0 {
		return nil
	}
	reservation.Cancel()
	first := !e.attempts.told
	e.attempts.told = true
	return contested{wait, first}
}

// wrote remembers that desired was written.
func (b *book) wrote(desired *corev1.Service) {
	b.mu.Lock()
	defer b.mu.Unlock()

	if e := b.entries[client.ObjectKeyFromObject(desired)]; e != nil {
		status := fingerprint(desired)
		if e.attempts.written != status {
			e.attempts = attempts{written: status}
		}
		e.attempts.failed = 0
	}
}

// failed says whether it is news that desired cannot be written.
func (b *book) failed(desired *corev1.Service) bool {
	b.mu.Lock()
	defer b.mu.Unlock()

	e := b.entries[client.ObjectKeyFromObject(desired)]
	if e == nil || e.attempts.failed == fingerprint(desired) {
		return false
	}
	e.attempts.failed = fingerprint(desired)
	return true
}

// fingerprint is equal for equal statuses of Herald's, whenever they were written.
func fingerprint(svc *corev1.Service) uint64 {
	hash := fnv.New64a()
	for _, ingress := range svc.Status.LoadBalancer.Ingress {
		fmt.Fprintln(hash, ingress.IP, ingress.Ports)
	}
	if c := condition(svc); c != nil {
		fmt.Fprintln(hash, c.Status, c.Reason, c.Message, c.ObservedGeneration)
	}
	fmt.Fprintln(hash, svc.Finalizers)
	return hash.Sum64()
}
