package ipam

import (
	"fmt"
	"net/netip"
	"sync"
	"testing"
)

// TestConcurrentUse lets many goroutines contend for few addresses: no two may
// hold one at the same time.
func TestConcurrentUse(t *testing.T) {
	a := pools(t, Ascending, "global: 192.0.2.0/30")
	var holders sync.Map
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			r := ask(fmt.Sprintf("a/%d", worker))
			for range 1000 {
				given, err := a.Allocate(r)
				if err != nil {
					continue
				}
				if other, held := holders.LoadOrStore(given[0], r.Owner); held {
					t.Errorf("%s is held by %s and %s", given[0], other, r.Owner)
				}
				holders.Delete(given[0])
				a.Release(r.Owner)
				a.Usage()
				a.Holders(netip.MustParseAddr("192.0.2.0"))
			}
		})
	}
	group.Wait()
	if used := a.Usage()[0].Used; used != 0 {
		t.Errorf("%d addresses are still held", used)
	}
}
