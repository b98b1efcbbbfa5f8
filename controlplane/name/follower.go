// Package name follows what a DNS name says the VIPs are.
package name

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/heraldlb/herald/controlplane/address"
)

// DefaultPeriod is the time between two looks at a name that is known.
const DefaultPeriod = 30 * time.Second

const (
	// retry is the time between two looks until it is known.
	retry = 2 * time.Second
	// timeout is how long a look may take.
	timeout = 5 * time.Second
)

// Resolver is the part of net.Resolver that is needed.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

var _ Resolver = (*net.Resolver)(nil)

// Follower looks a name up again and again.
type Follower struct {
	name     string
	period   time.Duration
	resolver Resolver
	tell     func([]netip.Addr)
	log      *slog.Logger

	// known is what was told last: at most one address of each family, by order.
	known []netip.Addr
	// complaint is what was logged last about a look that failed, ambiguous is the
	// last answer of too many addresses, by network.
	complaint string
	ambiguous map[string]string
}

// New returns a Follower that tells of the addresses of a name, one of a family at most,
// at first and at each change, while it runs. It looks at one that is known once in a
// period.
func New(name string, period time.Duration, resolver Resolver, tell func([]netip.Addr), log *slog.Logger) *Follower {
	return &Follower{
		name: name, period: period, resolver: resolver, tell: tell, log: log.With("name", name), ambiguous: make(map[string]string),
	}
}

// Run follows the name until ctx ends, then returns nil.
func (f *Follower) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		f.look(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if f.known == nil {
			timer.Reset(retry)
		} else {
			timer.Reset(f.period)
		}
	}
}

// look looks the name up. A family whose look fails keeps what is known of it; a name
// that no longer has any address is taken for a mistake, and keeps all.
func (f *Follower) look(ctx context.Context) {
	var found []netip.Addr
	var failed error
	for _, network := range []string{"ip4", "ip6"} {
		addr, err := f.lookUp(ctx, network)
		switch {
		case err != nil:
			failed = errors.Join(failed, err)
			for _, known := range f.known {
				if known.Is4() == (network == "ip4") {
					found = append(found, known)
				}
			}
		case addr.IsValid():
			found = append(found, addr)
		}
	}
	if failed == nil && len(found) == 0 {
		failed = fmt.Errorf("%s has no address that a host can have", f.name)
	}
	if ctx.Err() == nil {
		f.complain(failed)
	}
	if len(found) == 0 || slices.Equal(found, f.known) {
		return
	}
	f.log.Info("the VIP's name stands for", "vips", found, "before", f.known)
	f.known = found
	f.tell(slices.Clone(found))
}

// lookUp returns the address of a family, the lowest of several; the zero Addr if there
// is none.
func (f *Follower) lookUp(ctx context.Context, network string) (netip.Addr, error) {
	ctx, stop := context.WithTimeout(ctx, timeout)
	defer stop()
	all, err := f.resolver.LookupNetIP(ctx, network, f.name)
	if err != nil && !none(err) {
		return netip.Addr{}, err
	}
	for i := range all {
		all[i] = all[i].Unmap()
	}
	// A host's own name may stand for a loopback address in its /etc/hosts.
	all = slices.DeleteFunc(all, func(a netip.Addr) bool { return !address.Usable(a) })
	if len(all) == 0 {
		return netip.Addr{}, nil
	}
	slices.SortFunc(all, netip.Addr.Compare)
	all = slices.Compact(all)
	if text := fmt.Sprint(all); len(all) > 1 && f.ambiguous[network] != text {
		f.ambiguous[network] = text
		f.log.Warn("the VIP's name has several addresses of a family: the lowest is taken", "addresses", all)
	}
	return all[0], nil
}

// none reports whether an error says that there is no address of that family.
func none(err error) bool {
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		return e.IsNotFound
	}
	_, ok := errors.AsType[*net.AddrError](err)
	return ok
}

// complain logs an error that is not the one before, and that it is over.
func (f *Follower) complain(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	switch {
	case text == f.complaint:
	case text == "":
		f.log.Info("the VIP's name is known again")
	case f.known == nil:
		f.log.Warn("the VIP's name is not known yet, trying again", "error", err)
	default:
		f.log.Warn("the VIP's name cannot be looked up, it keeps what is known", "known", f.known, "error", err)
	}
	f.complaint = text
}
