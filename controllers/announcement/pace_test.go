package announcement

import (
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	p, vip := newPace(addressInterval, addressBurst), addr("192.0.2.1")
	now := time.Unix(0, 0)
	for range addressBurst {
		if wait := p.wait(vip, now); wait != 0 {
			t.Fatalf("wait %v within the burst", wait)
		}
	}
	for range 2 { // to ask costs nothing
		if wait := p.wait(vip, now.Add(time.Second)); wait != addressInterval-time.Second {
			t.Errorf("wait %v after the burst, want %v", wait, addressInterval-time.Second)
		}
	}
	if wait := p.wait(addr("192.0.2.2"), now); wait != 0 {
		t.Errorf("another address waits %v", wait)
	}
	if wait := p.wait(vip, now.Add(addressInterval)); wait != 0 {
		t.Errorf("wait %v after the interval", wait)
	}
}

// A stranger that speaks every minute, for a day.
func TestPaceOfContests(t *testing.T) {
	p, vip, reports := newPace(contestInterval, contestBurst), addr("192.0.2.1"), 0
	start := time.Unix(0, 0)
	const day = 24 * time.Hour
	for now := start; now.Before(start.Add(day)); now = now.Add(time.Minute) {
		if p.wait(vip, now) == 0 {
			reports++
		}
	}
	// With its end, each is two writes: one in five minutes.
	if most := contestBurst + int(day/contestInterval); reports > most || reports < most-contestBurst {
		t.Errorf("%d reports in a day, want about %d", reports, most)
	}
	p.forget(vip)
	if wait := p.wait(vip, start); wait != 0 {
		t.Errorf("forgotten, and yet a wait of %v", wait)
	}
}
