package steady

import (
	"context"
	"fmt"
	"time"

	"github.com/heraldlb/herald/e2e/bench/failover"
	"github.com/heraldlb/herald/e2e/bench/figure"
	"github.com/heraldlb/herald/e2e/bench/site"
)

const (
	// rest is how long nothing may have been asked of the API server for the
	// cluster to count as at rest, and patience how long that may take.
	rest     = 3 * time.Second
	patience = 2 * time.Minute
)

// Measurement is what an implementation used over a while.
type Measurement struct {
	System   string        `json:"system"`
	Services int           `json:"services"`
	Span     time.Duration `json:"span"`
	// Reads, Writes and Leases are requests a second; Leases are both reads and
	// writes, and not among the others.
	Reads     float64 `json:"reads"`
	Writes    float64 `json:"writes"`
	Leases    float64 `json:"leases"`
	Processes []Used  `json:"processes"`
}

// Used is what one process used.
type Used struct {
	Role string `json:"role"`
	Host string `json:"host"`
	// Processor is the share of one core in percent, Resident the memory in
	// MiB at the end.
	Processor float64 `json:"processor"`
	Resident  float64 `json:"resident"`
}

// Subject is an implementation while so many Services are its own.
type Subject struct {
	System    string
	Services  int
	Processes []Process
}

// Measure waits until the cluster is at rest, and then measures for a while.
func Measure(ctx context.Context, s *site.Site, meter *Meter, of Subject, span time.Duration) (Measurement, error) {
	if err := settle(ctx, meter); err != nil {
		return Measurement{}, err
	}
	before, requests, err := readAll(ctx, s, meter, of.Processes)
	if err != nil {
		return Measurement{}, err
	}
	start := time.Now()
	select {
	case <-time.After(span): // what is measured is this time
	case <-ctx.Done():
		return Measurement{}, ctx.Err()
	}
	after, requestsAfter, err := readAll(ctx, s, meter, of.Processes)
	if err != nil {
		return Measurement{}, err
	}
	passed := time.Since(start)
	rate := func(k kind) float64 { return (requestsAfter[k] - requests[k]) / passed.Seconds() }
	m := Measurement{System: of.System, Services: of.Services, Span: passed, Reads: rate(reads), Writes: rate(writes), Leases: rate(leases)}
	for i, process := range of.Processes {
		m.Processes = append(m.Processes, Used{
			Role: process.Role, Host: process.Host,
			Processor: 100 * (after[i].processor - before[i].processor).Seconds() / passed.Seconds(),
			Resident:  float64(after[i].resident) / (1 << 20),
		})
	}
	return m, nil
}

// settle waits until the implementation writes nothing for a while.
func settle(ctx context.Context, meter *Meter) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ticker := time.NewTicker(rest)
	defer ticker.Stop()
	last := -1.0
	for {
		requests, err := meter.Requests(ctx)
		if err != nil {
			return err
		}
		if requests[writes] == last {
			return nil
		}
		last = requests[writes]
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("it goes on to write: %w", ctx.Err())
		}
	}
}

func readAll(ctx context.Context, s *site.Site, meter *Meter, processes []Process) ([]usage, Requests, error) {
	var all []usage
	for _, process := range processes {
		used, err := process.read(ctx, s)
		if err != nil {
			return nil, nil, fmt.Errorf("%s on %s: %w", process.Role, process.Host, err)
		}
		all = append(all, used)
	}
	requests, err := meter.Requests(ctx)
	return all, requests, err
}

// limits are the targets of a role: percent of a core, and MiB.
type limits struct{ processor, resident *figure.Target }

func targets(m Measurement) (writes *figure.Target, roles map[string]limits) {
	if m.System != failover.HeraldDefault {
		return nil, nil
	}
	if m.Services > 1000 {
		return figure.AtMost(0), nil
	}
	return figure.AtMost(0), map[string]limits{
		"announcer": {figure.AtMost(1), figure.AtMost(20)},
		"agent":     {figure.AtMost(0.5), figure.AtMost(50)},
	}
}

// Figures returns what was measured against the targets.
func Figures(m Measurement) []figure.Figure {
	writes, roles := targets(m)
	name := func(of string) string { return fmt.Sprintf("%s, %d Services at rest, %s", m.System, m.Services, of) }
	figures := []figure.Figure{
		figure.Single(name("API reads"), "requests/s", m.Reads, 1, nil),
		figure.Single(name("API writes"), "requests/s", m.Writes, 1, writes),
		figure.Single(name("requests for the Leases of elections"), "requests/s", m.Leases, 1, nil),
	}
	var order []string
	processor, resident := map[string][]float64{}, map[string][]float64{}
	for _, used := range m.Processes {
		if processor[used.Role] == nil {
			order = append(order, used.Role)
		}
		processor[used.Role] = append(processor[used.Role], used.Processor)
		resident[used.Role] = append(resident[used.Role], used.Resident)
	}
	for _, role := range order {
		figures = append(figures,
			figure.Quantiles(name(role+", processor"), "% of a core", processor[role], nil, nil, roles[role].processor),
			figure.Quantiles(name(role+", resident"), "MiB", resident[role], nil, nil, roles[role].resident))
	}
	return figures
}
