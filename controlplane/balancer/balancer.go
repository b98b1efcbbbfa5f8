// Package balancer spreads the connections to the VIP over the API servers of a
// cluster: the kernel of the node that has the VIP translates their destination
// (nftables), so that what a connection carries never leaves the kernel.
package balancer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/heraldlb/herald/controlplane/health"
)

// lookAgain is when the balancer looks if its table is still there, and if the
// host forwards packets; nobody tells it.
const lookAgain = time.Second

// Options of a balancer.
type Options struct {
	// Health says how backends are probed, each at its own address: the URL is not
	// used.
	Health health.Options
	Log    *slog.Logger
}

// Balancer has connections to frontends go to backends.
type Balancer struct {
	options Options
	changed chan struct{}

	mu        sync.Mutex
	frontends []netip.AddrPort
	backends  []netip.AddrPort
}

// New makes a balancer without frontends and backends.
func New(options Options) *Balancer {
	return &Balancer{options: options, changed: make(chan struct{}, 1)}
}

// SetFrontends replaces the addresses and ports whose connections are balanced:
// those of the VIP while this host has it, else none. Connections to one that goes
// are forgotten.
func (b *Balancer) SetFrontends(frontends []netip.AddrPort) { b.set(&b.frontends, frontends) }

// SetBackends replaces the API servers that connections go to, those of this host
// included. Connections to one that goes are kept.
func (b *Balancer) SetBackends(backends []netip.AddrPort) { b.set(&b.backends, backends) }

func (b *Balancer) set(list *[]netip.AddrPort, to []netip.AddrPort) {
	b.mu.Lock()
	*list = unique(to)
	b.mu.Unlock()
	select {
	case b.changed <- struct{}{}:
	default:
	}
}

func unique(list []netip.AddrPort) []netip.AddrPort {
	all := make([]netip.AddrPort, len(list))
	for i, a := range list {
		all[i] = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
	}
	slices.SortFunc(all, netip.AddrPort.Compare)
	return slices.Compact(all)
}

// wanted returns the frontends, and the backends that can be some.
func (b *Balancer) wanted() (frontends, backends []netip.AddrPort) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range b.backends {
		isVIP := slices.ContainsFunc(b.frontends, func(f netip.AddrPort) bool { return f.Addr() == a.Addr() })
		if !isVIP && !a.Addr().IsLoopback() && !a.Addr().IsUnspecified() {
			backends = append(backends, a)
		}
	}
	return slices.Clone(b.frontends), backends
}

// Run balances until ctx ends, then removes what it put into the kernel, and
// returns nil. The error says what the kernel or the process lacks.
func (b *Balancer) Run(ctx context.Context) error {
	k, err := openKernel()
	if err != nil {
		return explain(err)
	}
	defer k.close()
	if err := errors.Join(k.check(), k.renew()); err != nil {
		return explain(err)
	}
	l := &loop{
		b: b, kernel: k, log: b.options.Log,
		watches: watches{options: &b.options, all: make(map[netip.AddrPort]*watch), words: make(chan word)},
	}
	ticker := time.NewTicker(lookAgain)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			l.watches.close()
			return l.end()
		case <-b.changed:
		case said := <-l.watches.words:
			if l.watches.hear(said) {
				l.dead = append(l.dead, said.of.addr)
			}
		case <-ticker.C:
			l.look(ctx)
		}
		l.settle(ctx)
	}
}

// explain names what it takes.
func explain(err error) error {
	if errors.Is(err, unix.EPERM) {
		return fmt.Errorf("load balancer: nftables: %w: it needs the capability NET_ADMIN", err)
	}
	return fmt.Errorf("load balancer: nftables: %w", err)
}

// loop is what Run knows.
type loop struct {
	b       *Balancer
	kernel  *kernel
	log     *slog.Logger
	watches watches

	// services are those in the kernel; stale: they are not, or not as they should be.
	services  []service
	stale     bool
	frontends []netip.AddrPort
	dead      []netip.AddrPort
	// failed is the last error that was logged; blocked are the families that the
	// host was found not to forward.
	failed  string
	blocked [2]bool
}

// settle brings the kernel to what is wanted.
func (l *loop) settle(ctx context.Context) {
	if err := l.try(ctx); err != nil && err.Error() != l.failed {
		l.failed = err.Error()
		l.log.ErrorContext(ctx, "The load balancer of the VIP fails, and tries again", "error", err)
	} else if err == nil {
		l.failed = ""
	}
}

func (l *loop) try(ctx context.Context) error {
	frontends, backends := l.b.wanted()
	if err := l.watches.set(ctx, backends); err != nil {
		return err
	}
	local, err := l.kernel.local()
	if err != nil {
		return err
	}
	all := l.watches.backends(local)
	l.warn(ctx, frontends, all)
	services := plan(frontends, all, l.kernel.forwards)
	if l.stale || !slices.EqualFunc(services, l.services, service.equal) {
		l.stale = true
		if err := l.kernel.put(services); err != nil {
			return explain(err)
		}
		for _, s := range services {
			if !slices.ContainsFunc(l.services, s.equal) {
				l.log.InfoContext(ctx, "Connections are balanced", "to", s.frontend, "over", s.targets)
			}
		}
		l.stale, l.services = false, services
	}
	return l.forget(ctx, frontends)
}

// forget has the kernel forget the connections to backends that died, and those to
// frontends that are no more.
func (l *loop) forget(ctx context.Context, frontends []netip.AddrPort) error {
	gone := slices.DeleteFunc(slices.Clone(l.frontends), func(f netip.AddrPort) bool { return slices.Contains(frontends, f) })
	if len(gone) == 0 && len(l.dead) == 0 {
		l.frontends = frontends
		return nil
	}
	forgotten, err := l.kernel.forget(func(frontend, backend netip.AddrPort) bool {
		return slices.Contains(gone, frontend) ||
			slices.Contains(frontends, frontend) && frontend != backend && slices.Contains(l.dead, backend)
	}, netlink.FAMILY_V4, netlink.FAMILY_V6)
	if err != nil {
		return err
	}
	if len(l.dead) > 0 {
		l.log.InfoContext(ctx, "Connections to dead API servers are reset", "api-servers", l.dead, "connections", len(forgotten))
		if err := l.kernel.nudge(forgotten); err != nil {
			l.log.WarnContext(ctx, "Clients are not told of each connection that is gone", "error", err)
		}
	}
	l.frontends, l.dead = frontends, nil
	return nil
}

// warn says what keeps connections from other hosts.
func (l *loop) warn(ctx context.Context, frontends []netip.AddrPort, backends []backend) {
	for i, is4 := range []bool{true, false} {
		family := func(a netip.Addr) bool { return a.Is4() == is4 }
		needed := slices.ContainsFunc(frontends, func(f netip.AddrPort) bool { return family(f.Addr()) }) &&
			slices.ContainsFunc(backends, func(b backend) bool { return family(b.addr.Addr()) && !b.local })
		blocked := needed && !l.kernel.forwards(is4)
		if blocked && !l.blocked[i] {
			l.log.WarnContext(ctx, "This host forwards no packets: connections to the VIP stay on it, balanced over no other",
				"sysctl", sysctl(is4)+"=1 is needed")
		}
		l.blocked[i] = blocked
	}
}

// look finds out if the table is still there.
func (l *loop) look(ctx context.Context) {
	there, err := l.kernel.there()
	if err == nil && !there && !l.stale {
		l.stale = true
		l.log.WarnContext(ctx, "Somebody deleted the nftables table of the VIP's load balancer; it is put back", "table", Table)
	}
}

// end takes all out of the kernel.
func (l *loop) end() error {
	err := l.kernel.remove()
	_, forgot := l.kernel.forget(func(frontend, _ netip.AddrPort) bool {
		return slices.Contains(l.frontends, frontend)
	}, netlink.FAMILY_V4, netlink.FAMILY_V6)
	if err := errors.Join(err, forgot); err != nil {
		return fmt.Errorf("load balancer: %w", err)
	}
	return nil
}
