package announcement

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heraldlb/herald/announcer"
)

func TestOwned(t *testing.T) {
	var owned Owned
	notified := 0
	owned.Notify(func() { notified++ })
	if _, known := owned.Status(addr("192.0.2.1")); known || owned.Connected() {
		t.Error("something is known of nothing")
	}
	owned.observed(announcer.Status{Address: addr("192.0.2.1"), State: announcer.Announced, Owner: "a"})
	owned.observed(announcer.Status{Address: addr("192.0.2.2"), State: announcer.Standby, Owner: "b"})
	if status, known := owned.Status(addr("192.0.2.2")); !known || status.Owner != "b" {
		t.Errorf("%+v, %v", status, known)
	}
	owned.observed(announcer.Status{Address: addr("192.0.2.2"), State: announcer.Withdrawn})
	if _, known := owned.Status(addr("192.0.2.2")); known {
		t.Error("what was withdrawn is known still")
	}
	owned.reset()
	if _, known := owned.Status(addr("192.0.2.1")); known {
		t.Error("what another announcer said is known still")
	}
	if notified != 4 {
		t.Errorf("notified %d times of 4", notified)
	}
}

func TestLasting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		until := make(chan struct{})
		ended := make(chan time.Time, 1)
		run := lasting(func(ctx context.Context) error {
			<-ctx.Done()
			ended <- time.Now()
			return nil
		}, until)
		go func() { _ = run(ctx) }()
		start := time.Now()
		cancel()
		time.AfterFunc(time.Second, func() { close(until) })
		if after := (<-ended).Sub(start); after != time.Second {
			t.Errorf("it ended after %v", after)
		}
	})
}
