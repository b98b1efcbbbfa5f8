package ground

import (
	"net/netip"
	"testing"
)

func TestTake(t *testing.T) {
	whole := Range{netip.MustParseAddr("192.0.2.254"), netip.MustParseAddr("192.0.3.1")}
	for n, want := range map[int]string{1: "192.0.2.254-192.0.2.254", 3: "192.0.2.254-192.0.3.0", 4: "192.0.2.254-192.0.3.1"} {
		if got, err := whole.Take(n); err != nil || got.String() != want {
			t.Errorf("%d of %s: got %s, %v; want %s", n, whole, got, err, want)
		}
	}
	for _, n := range []int{0, 5} {
		if got, err := whole.Take(n); err == nil {
			t.Errorf("%d of %s: got %s", n, whole, got)
		}
	}
	if whole.Contains(netip.MustParseAddr("::ffff:192.0.2.255")) {
		t.Error("an address of the other family is in the range")
	}
}
