package l2

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/announcer/l2/mld"
)

// All packets go out, in order and no faster than is allowed, though the
// interface has no room at times.
func TestReports(t *testing.T) {
	const count = 100
	var r reports
	for i := range count {
		r.add([]mld.Packet{{Message: []byte{byte(i)}}})
	}
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	now, calls, sent := start, 0, 0
	write := func(p mld.Packet) error {
		if calls++; calls%10 == 3 {
			return unix.ENOBUFS
		}
		if p.Message[0] != byte(sent) {
			t.Fatalf("sent packet %d, want %d", p.Message[0], sent)
		}
		sent++
		return nil
	}
	for !r.none() {
		before := sent
		if err := r.send(now, write); err != nil {
			t.Fatal(err)
		}
		if sent-before > reportsAtOnce {
			t.Fatalf("%d packets at once", sent-before)
		}
		if early := sent; r.send(r.next.Add(-1), write) != nil || sent != early {
			t.Fatal("sent too early")
		}
		now = r.next
	}
	if sent != count || now.Sub(start) < count/reportsAtOnce*reportsGap {
		t.Errorf("%d packets in %s, want %d", sent, now.Sub(start), count)
	}
	r.add(make([]mld.Packet, count))
	if err := r.send(now, func(mld.Packet) error { return unix.EPERM }); !errors.Is(err, unix.EPERM) || !r.none() {
		t.Errorf("error %v, %d packets left", err, len(r.queue))
	}
}

// What fails is done again until the end.
func TestPersist(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		start, calls, failures := time.Now(), 0, 0
		persist(ctx, func() error {
			if calls++; calls == 3 {
				cancel()
			}
			return unix.ENETDOWN
		}, func(error) { failures++ })
		if calls != 3 || failures != 2 || time.Since(start) != 2*persistWait {
			t.Errorf("%d calls, %d failures in %s", calls, failures, time.Since(start))
		}
	})
}
