package failover

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/heraldlb/herald/e2e/bench/clock"
	"github.com/heraldlb/herald/e2e/bench/figure"
	"github.com/heraldlb/herald/e2e/bench/outage"
	"github.com/heraldlb/herald/e2e/bench/site"
)

// Partition is what became of an address when its owner and the other nodes did
// not hear each other for a while. A client between them heard both.
type Partition struct {
	Address netip.Addr `json:"address"`
	// Second is how long it took from the cut to another owner's first answer,
	// Both how long two nodes answered, Healed how long they still did after
	// they could hear each other again.
	Second time.Duration `json:"second"`
	Both   time.Duration `json:"both"`
	Healed time.Duration `json:"healed"`
}

// silence is how long a node must not answer to be no owner any more.
const silence = 500 * time.Millisecond

// Partitions cuts the owner of each address in turn off from the other nodes,
// not from the clients and the API server, and lets them hear each other again
// once two own the address.
func Partitions(ctx context.Context, s *site.Site, system System, count int) (partitions []Partition, err error) {
	addresses, err := system.Start(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		err = errors.Join(err, s.Cluster.Drop(context.WithoutCancel(ctx)), system.Stop(context.WithoutCancel(ctx)))
	}()
	for i := range count {
		partition, err := partitionOnce(ctx, s, addresses[i%len(addresses)])
		if err != nil {
			return partitions, fmt.Errorf("partition %d: %w", i+1, err)
		}
		partitions = append(partitions, partition)
		s.Logf("partition %d of %d: another owner after %s, two for %s, after the end for %s",
			i+1, count, partition.Second, partition.Both, partition.Healed)
	}
	return partitions, nil
}

func partitionOnce(ctx context.Context, s *site.Site, address netip.Addr) (result Partition, err error) {
	result.Address = address
	// The kernel's neighbour, which tells the owner, is there while it is used.
	traffic, err := s.Ask(ctx, s.Client, outage.Datagram, address)
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, traffic.Stop()) }()
	watch, err := s.Ask(ctx, s.Client, outage.Neighbour, address)
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, watch.Stop()) }()
	if _, err := settle(ctx, []probe{{traffic, s.Client, outage.Datagram}, {watch, s.Client, outage.Neighbour}}, quiet); err != nil {
		return result, err
	}
	owner, err := s.Owner(ctx, address)
	if err != nil {
		return result, err
	}
	if err := watch.Begin(); err != nil {
		return result, err
	}
	cut, err := clock.Now()
	if err != nil {
		return result, err
	}
	if err := s.Cluster.Partition(ctx, owner, s.Others(owner)...); err != nil {
		return result, err
	}
	if _, err := voices(ctx, watch, func(all map[string]outage.Voice, _ clock.Instant) bool { return len(all) > 1 }); err != nil {
		return result, fmt.Errorf("no second owner: %w", err)
	}
	if err := s.Cluster.Drop(ctx); err != nil {
		return result, err
	}
	healed, err := clock.Now()
	if err != nil {
		return result, err
	}
	all, err := voices(ctx, watch, func(all map[string]outage.Voice, now clock.Instant) bool {
		speaking := 0
		for _, voice := range all {
			if now.Since(voice.Last) < silence {
				speaking++
			}
		}
		return speaking == 1
	})
	if err != nil {
		return result, fmt.Errorf("two owners: %w", err)
	}
	first, last := overlap(all)
	result.Second, result.Both, result.Healed = first.Since(cut), max(0, last.Since(first)), max(0, last.Since(healed))
	return result, nil
}

// overlap returns when the second voice was first heard, and when it was last
// that two were.
func overlap(all map[string]outage.Voice) (first, last clock.Instant) {
	var earliest, latest clock.Instant
	for _, voice := range all {
		if earliest == 0 || voice.First < earliest {
			earliest = voice.First
		}
		latest = max(latest, voice.Last)
	}
	for _, voice := range all {
		if voice.First > earliest && (first == 0 || voice.First < first) {
			first = voice.First
		}
		if voice.Last < latest {
			last = max(last, voice.Last)
		}
	}
	return first, last
}

// voices waits until those who answer are as wanted.
func voices(ctx context.Context, watch *outage.Probe, wanted func(map[string]outage.Voice, clock.Instant) bool) (map[string]outage.Voice, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for ctx.Err() == nil {
		results, err := watch.Settle(ctx, 0, patience) // waits for the answers under way
		if err != nil {
			return nil, err
		}
		now, err := clock.Now()
		if err != nil {
			return nil, err
		}
		if wanted(results[0].Voices, now) {
			return results[0].Voices, nil
		}
	}
	return nil, ctx.Err()
}

// heartbeat is the interval at Herald's default setting in a small cluster.
const heartbeat = 25

// PartitionFigures sums partitions up.
func PartitionFigures(system string, partitions []Partition) []figure.Figure {
	part := func(name string, of func(Partition) time.Duration, targets ...*figure.Target) figure.Figure {
		var times []time.Duration
		for _, partition := range partitions {
			times = append(times, of(partition))
		}
		return figure.Times(system+", partition, "+name, times, targets...)
	}
	return []figure.Figure{
		part("another owner after", func(p Partition) time.Duration { return p.Second }),
		part("two owners in all", func(p Partition) time.Duration { return p.Both }),
		part("two owners after its end", func(p Partition) time.Duration { return p.Healed }, nil, figure.AtMost(heartbeat)),
	}
}
