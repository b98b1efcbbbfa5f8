package soak

import (
	"context"
	"encoding/json"
	"io"
	"net/netip"

	"github.com/heraldlb/herald/e2e/bench/clock"
	"github.com/heraldlb/herald/e2e/suite/claim"
)

// Change is a claim by another station than the one before.
type Change struct {
	Address netip.Addr    `json:"address"`
	MAC     string        `json:"mac"`
	At      clock.Instant `json:"at"`
}

// Watch prints each change of those who claim addresses on a link, until in
// ends; the first claim of each address counts as one.
func Watch(ctx context.Context, link string, in io.Reader, out io.Writer) error {
	listener, err := claim.Listen(link)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = listener.Close() })
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, in)
		_ = listener.Close()
	}()
	encoder := json.NewEncoder(out)
	if err := encoder.Encode(Change{}); err != nil { // it listens
		return err
	}
	owners := map[netip.Addr]string{}
	for {
		heard, err := listener.Next()
		if err != nil {
			return nil //nolint:nilerr // it is closed
		}
		if owners[heard.Address] == heard.MAC {
			continue
		}
		owners[heard.Address] = heard.MAC
		at, err := clock.Now()
		if err != nil {
			return err
		}
		if err := encoder.Encode(Change{heard.Address, heard.MAC, at}); err != nil {
			return err
		}
	}
}
