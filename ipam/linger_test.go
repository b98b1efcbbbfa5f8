package ipam

import (
	"errors"
	"testing"
)

// TestLinger: what an owner no longer wants is nobody else's before it is shed.
func TestLinger(t *testing.T) {
	lingering := func(r *Request) { r.Linger = true }
	a := pools(t, Ascending, "global: 192.0.2.0/31")
	owner := parseOwner("a/web")
	for _, address := range []string{"192.0.2.0", "192.0.2.1"} {
		if given, err := a.Allocate(ask("a/web", exactly(address), lingering)); err != nil || text(given) != address {
			t.Fatalf("got %v, %v; want %s", given, err, address)
		}
	}
	if held, _ := a.Holding(owner); text(held) != "192.0.2.1 192.0.2.0" {
		t.Errorf("holds %v, want what it wants, and then what lingers", held)
	}
	if given, err := a.Allocate(ask("a/web", lingering)); err != nil || text(given) != "192.0.2.1" {
		t.Errorf("without a wish it gets %v, %v; want what it wanted last", given, err)
	}
	if given, err := a.Allocate(ask("b/next")); !errors.Is(err, Exhausted) {
		t.Errorf("another got %v, %v", given, err)
	}
	freed := a.Freed()
	if shed := a.Shed(owner, parseAddresses("192.0.2.1")); text(shed) != "192.0.2.0" || a.Freed() == freed {
		t.Errorf("shed %v, freed %d of %d", shed, a.Freed(), freed)
	}
	if given, err := a.Allocate(ask("b/next")); err != nil || text(given) != "192.0.2.0" {
		t.Errorf("another got %v, %v", given, err)
	}
	if shed := a.Shed(owner, parseAddresses("192.0.2.1")); shed != nil {
		t.Errorf("shed %v again", shed)
	}
	a.Shed(owner, nil)
	if held, holds := a.Holding(owner); holds {
		t.Errorf("still holds %v", held)
	}
	if given, err := a.Allocate(ask("c/last")); err != nil || text(given) != "192.0.2.1" {
		t.Errorf("a third got %v, %v", given, err)
	}
}
