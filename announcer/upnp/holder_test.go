package upnp

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/heraldlb/herald/announcer/upnp/upnptest"
)

// holder is a Mapper on the node.
type holder struct {
	*Mapper
	changes chan struct{}
	stop    func()
}

// hold runs a Mapper on the node.
func hold(t *testing.T) *holder {
	t.Helper()
	holder := &holder{changes: make(chan struct{}, 1)}
	holder.Mapper = NewMapper(Options{Log: slog.New(slog.DiscardHandler), Changed: func() {
		select {
		case holder.changes <- struct{}{}:
		default:
		}
	}})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = holder.Run(ctx) // nil
	}()
	holder.stop = sync.OnceFunc(func() {
		cancel()
		<-done
	})
	t.Cleanup(holder.stop)
	return holder
}

// patience is how long anything may take.
const patience = time.Minute

// await waits until the status of a rule is as ok wants it.
func (h *holder) await(t *testing.T, of Rule, ok func(Status) bool) Status {
	t.Helper()
	timeout := time.After(patience)
	for {
		if status, there := h.Statuses()[of]; there && ok(status) {
			return status
		}
		select {
		case <-h.changes:
		case <-timeout:
			t.Fatalf("waited in vain; %s is %+v", of, h.Statuses()[of])
		}
	}
}

func (h *holder) awaitState(t *testing.T, of Rule, state State) Status {
	t.Helper()
	return h.await(t, of, func(s Status) bool { return s.State == state })
}

func (h *holder) awaitSettled(t *testing.T) {
	t.Helper()
	timeout := time.After(patience)
	for !h.Settled() {
		select {
		case <-h.changes:
		case <-timeout:
			t.Fatal("waited in vain for mappings to be removed")
		}
	}
}

func ofService(port uint16, protocol Protocol) Want {
	return Want{Rule: Rule{netip.MustParseAddr(upnptest.ServiceAddress), protocol, port}, For: "default/web", Lease: time.Hour}
}
