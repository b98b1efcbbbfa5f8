package bgp

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/heraldlb/herald/e2e/bench/machine"
	"github.com/heraldlb/herald/e2e/bench/site"
)

const (
	// glance is how often the router is asked at most: asking takes its time too.
	glance = 50 * time.Millisecond
	// slow is how long many routes may take.
	slow = 5 * time.Minute
)

// Table is how long many addresses took to the router's table, as routes by all nodes.
type Table struct {
	System    string `json:"system"`
	Addresses int    `json:"addresses"`
	// Begun is what it was counted from.
	Begun Beginning `json:"begun"`
	// Sessions is when all sessions stood, Told when the router knew all routes, Kernel
	// when its kernel used them.
	Sessions time.Duration `json:"sessions"`
	Told     time.Duration `json:"told"`
	Kernel   time.Duration `json:"kernel"`
	// Load is the machine's load average.
	Load float64 `json:"load"`
}

// Beginning is what routes are told after.
type Beginning string

// The beginnings.
const (
	Configured Beginning = "configured"
	Cleared    Beginning = "sessions cleared"
)

// Tables fills an implementation with so many addresses, and has it tell them so often.
// What was measured before an error is returned with it.
func Tables(ctx context.Context, s *site.Site, name string, crowd Crowd, addresses, count int) (tables []Table, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s, %d routes: %w", name, addresses, err)
		}
	}()
	r, err := StartRouter(ctx, s, false)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Stop(context.WithoutCancel(ctx))) }()
	started := time.Now()
	err = crowd.Fill(ctx, r, addresses)
	defer func() { err = errors.Join(err, crowd.Clear(context.WithoutCancel(ctx))) }()
	if err != nil {
		return nil, err
	}
	s.Logf("%s has %d addresses after %.0f s", name, addresses, time.Since(started).Seconds())
	t := teller{router: r, name: name, crowd: crowd, addresses: addresses}
	for i := range count {
		for _, step := range []func(context.Context) (Table, error){t.configured, t.cleared} {
			table, err := step(ctx)
			if err != nil {
				return tables, fmt.Errorf("run %d: %w", i+1, err)
			}
			tables = append(tables, table)
			s.Logf("%s, %d routes, %s, %d of %d: sessions %.2f s, told %.2f s, in the kernel %.2f s, load %.1f", name, addresses, table.Begun,
				i+1, count, table.Sessions.Seconds(), table.Told.Seconds(), table.Kernel.Seconds(), table.Load)
		}
	}
	return tables, nil
}

type teller struct {
	router    *Router
	name      string
	crowd     Crowd
	addresses int
}

// configured has routes told that nobody was told of before.
func (t *teller) configured(ctx context.Context) (Table, error) {
	if err := t.crowd.Hush(ctx); err != nil {
		return Table{}, err
	}
	if err := t.router.knows(ctx, 0); err != nil {
		return Table{}, err
	}
	return t.time(ctx, Configured, nil, t.crowd.Tell)
}

// cleared has the router end the sessions, and forget what it knows.
func (t *teller) cleared(ctx context.Context) (Table, error) {
	before, err := t.router.summary(ctx)
	if err != nil {
		return Table{}, err
	}
	return t.time(ctx, Cleared, before, t.router.clear)
}

// time measures from begin on; sessions of before do not count.
func (t *teller) time(ctx context.Context, begun Beginning, before summary, begin func(context.Context) error) (table Table, err error) {
	ctx, cancel := context.WithTimeout(ctx, slow)
	defer cancel()
	table = Table{System: t.name, Addresses: t.addresses, Begun: begun}
	if table.Load, err = machine.Load(); err != nil {
		return table, err
	}
	started := time.Now()
	if err := begin(ctx); err != nil {
		return table, err
	}
	nodes := len(t.router.site.Nodes)
	err = until(ctx, glance, "routes", func() (bool, error) {
		now, err := t.router.summary(ctx)
		if err != nil {
			return false, err
		}
		if table.Sessions == 0 && now.established(before) == nodes {
			table.Sessions = time.Since(started)
		}
		return now.told(before, t.addresses) == nodes, nil
	})
	if err != nil {
		return table, err
	}
	table.Told = time.Since(started)
	err = until(ctx, glance, "routes in the kernel", func() (bool, error) {
		installed, err := t.router.installed(ctx)
		return installed >= t.addresses, err
	})
	table.Kernel = time.Since(started)
	return table, err
}
