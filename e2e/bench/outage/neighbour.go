package outage

import (
	"context"
	"errors"
	"net/netip"
	"sync"

	"github.com/heraldlb/herald/e2e/bench/clock"
	"github.com/heraldlb/herald/e2e/suite/claim"
)

// neighbours asks on the segment who has an address.
type neighbours struct {
	listener  *claim.Listener
	requester *Requester
	address   netip.Addr
	record    *record
}

func newNeighbours(link string, address netip.Addr, record *record) (*neighbours, error) {
	requester, err := NewRequester(link)
	if err != nil {
		return nil, err
	}
	listener, err := claim.Listen(link)
	if err != nil {
		return nil, errors.Join(err, requester.Close())
	}
	return &neighbours{listener: listener, requester: requester, address: address, record: record}, nil
}

func (n *neighbours) ask(ctx context.Context) error {
	defer n.requester.Close() //nolint:errcheck // nothing is lost
	stop := context.AfterFunc(ctx, func() { _ = n.listener.Close() })
	defer stop()
	var listening sync.WaitGroup
	defer listening.Wait()
	listening.Go(n.listen)
	return tick(ctx, func(at clock.Instant) error {
		n.record.ask(at)
		return n.requester.Request(n.address)
	})
}

// listen returns when the listener is closed.
func (n *neighbours) listen() {
	for {
		heard, err := n.listener.Next()
		if err != nil {
			return
		}
		at, err := clock.Now()
		if err != nil {
			return
		}
		if heard.Address == n.address {
			n.record.hear(heard.MAC, at)
		}
	}
}
