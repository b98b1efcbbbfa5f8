package failover

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/heraldlb/herald/e2e/bench/outage"
	"github.com/heraldlb/herald/e2e/bench/site"
)

const (
	// quiet is how long all must be answered before an outage counts as over.
	quiet = 250 * time.Millisecond
	// patience is how long an outage may last at most.
	patience = time.Minute
)

// Run is what one fault did to one address as one client saw it.
type Run struct {
	System string `json:"system"`
	Fault  string `json:"fault"`
	// Measures is what counts.
	Measures Loss `json:"measures"`
	// Client is the host that asked, Kind how.
	Client string      `json:"client"`
	Kind   outage.Kind `json:"kind"`
	// Owner says that the fault was that of the address's owner; else the
	// address should not be affected.
	Owner bool `json:"owner"`
	// Moved says that the address has another owner since.
	Moved bool `json:"moved"`
	// Stays says that it should not.
	Stays bool `json:"stays,omitempty"`
	outage.Result
}

// Family returns the name of the address's IP family.
func (r Run) Family() string {
	if r.Target.Addr().Is4() {
		return "IPv4"
	}
	return "IPv6"
}

// probe is an asker and where it is.
type probe struct {
	*outage.Probe
	client string
	kind   outage.Kind
}

// Bench inflicts faults on a system that is started.
type Bench struct {
	site      *site.Site
	name      string // of the system
	system    System
	addresses []netip.Addr
	Runs      []Run
}

// Measure starts a system, which figures call by that name, and inflicts each fault so often as it says. What
// was measured before an error is returned with it.
func Measure(ctx context.Context, s *site.Site, name string, system System, faults []Fault) (runs []Run, err error) {
	addresses, err := system.Start(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	b := &Bench{site: s, name: name, system: system, addresses: addresses}
	defer func() { err = errors.Join(err, system.Stop(context.WithoutCancel(ctx))) }()
	for _, fault := range faults {
		if err := b.repeat(ctx, fault); err != nil {
			return b.Runs, fmt.Errorf("%s, %s: %w", name, fault.Name, err)
		}
	}
	return b.Runs, nil
}

// repeat inflicts a fault again and again, on the owner of each address in turn.
func (b *Bench) repeat(ctx context.Context, fault Fault) (err error) {
	probes, err := b.ask(ctx, fault.Asked)
	defer func() {
		for _, p := range probes {
			err = errors.Join(err, p.Stop())
		}
	}()
	if err != nil {
		return err
	}
	for i := range fault.Count {
		started := time.Now()
		if err := b.once(ctx, fault, probes, b.addresses[i%len(b.addresses)]); err != nil {
			return fmt.Errorf("run %d: %w", i+1, err)
		}
		b.site.Logf("%s, %s: run %d of %d in %.1f s: %s", b.name, fault.Name, i+1, fault.Count,
			time.Since(started).Seconds(), b.newest(len(probes)*len(b.addresses)))
	}
	return nil
}

// ask starts the askers and waits until all is answered.
func (b *Bench) ask(ctx context.Context, asked []Asked) ([]probe, error) {
	var probes []probe
	for _, a := range asked {
		started, err := b.site.Ask(ctx, a.host(b.site), a.Kind, b.addresses...)
		if err != nil {
			return probes, err
		}
		probes = append(probes, probe{started, a.host(b.site), a.Kind})
	}
	_, err := settle(ctx, probes, quiet)
	return probes, err
}

// once inflicts a fault on the owner of an address.
func (b *Bench) once(ctx context.Context, fault Fault, probes []probe, victim netip.Addr) error {
	owners, err := b.owners(ctx)
	if err != nil {
		return err
	}
	if err := begin(probes); err != nil {
		return err
	}
	undo, err := fault.Inflict(ctx, b, owners[victim])
	if err != nil {
		return err
	}
	results, err := settle(ctx, probes, max(quiet, fault.Quiet))
	if err != nil {
		return errors.Join(err, undo(ctx))
	}
	now, err := b.owners(ctx)
	if err != nil {
		return errors.Join(err, undo(ctx))
	}
	for i, p := range probes {
		for _, result := range results[i] {
			address := result.Target.Addr()
			b.Runs = append(b.Runs, Run{
				System: b.name, Fault: fault.Name, Measures: fault.Measures, Stays: fault.Stays, Client: p.client, Kind: p.kind,
				Owner: fault.Everywhere || owners[address] == owners[victim], Moved: owners[address] != now[address],
				Result: result,
			})
		}
	}
	if err := undo(ctx); err != nil {
		return err
	}
	_, err = settle(ctx, probes, quiet)
	return err
}

func (b *Bench) owners(ctx context.Context) (map[netip.Addr]string, error) {
	owners := map[netip.Addr]string{}
	for _, address := range b.addresses {
		owner, err := b.site.Owner(ctx, address)
		if err != nil {
			return nil, err
		}
		owners[address] = owner
	}
	return owners, nil
}

func begin(probes []probe) error {
	for _, p := range probes {
		if err := p.Begin(); err != nil {
			return err
		}
	}
	return nil
}

// settle waits until all askers have all answered.
func settle(ctx context.Context, probes []probe, quiet time.Duration) ([][]outage.Result, error) {
	results := make([][]outage.Result, len(probes))
	var group errgroup.Group
	for i, p := range probes {
		group.Go(func() (err error) {
			if results[i], err = p.Settle(ctx, quiet, patience); err != nil {
				err = fmt.Errorf("%s by %s: %w", p.client, p.kind, err)
			}
			return err
		})
	}
	return results, group.Wait()
}

// newest tells the outages of the newest runs.
func (b *Bench) newest(count int) string {
	var text strings.Builder
	for _, run := range b.Runs[max(0, len(b.Runs)-count):] {
		fmt.Fprintf(&text, " %s/%s/%s %.0f ms, %d lost", run.Client, run.Kind, run.Family(), run.Outage.Seconds()*1000, run.Lost)
		if !run.Owner {
			text.WriteString(" (bystander)")
		}
		text.WriteString(";")
	}
	return text.String()
}

// moved waits until a node owns none of the addresses, as the client's kernel
// knows them.
func (b *Bench) moved(ctx context.Context, node string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		owners, err := b.owners(ctx)
		if err != nil {
			return err
		}
		if !slices.Contains(slices.Collect(maps.Values(owners)), node) {
			return nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("%s still owns an address: %w", node, ctx.Err())
		}
	}
}
