package announcement

import (
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	p, vip := make(pace), addr("192.0.2.1")
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
