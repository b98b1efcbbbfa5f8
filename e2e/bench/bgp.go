package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/heraldlb/herald/e2e/bench/bgp"
	"github.com/heraldlb/herald/e2e/bench/site"
	"github.com/heraldlb/herald/e2e/suite/ground"
)

// speaker is an implementation that speaks BGP.
type speaker struct {
	title  string
	system bgp.System
	bfd    bool
	crowd  bgp.Crowd // nil: with many addresses, it is no other than another
}

// bgp measures implementations beside the same router.
func (r *report) bgp(ctx context.Context, s *site.Site, options options) error {
	var failed error
	for _, speaker := range speakers(s, options) {
		err := errors.Join(r.bgpCrashes(ctx, s, options, speaker), r.bgpTables(ctx, s, options, speaker))
		if err != nil {
			s.Logf("%v", err)
		}
		failed = errors.Join(failed, err)
		if ctx.Err() != nil {
			break
		}
	}
	return failed
}

func (r *report) bgpCrashes(ctx context.Context, s *site.Site, options options, of speaker) error {
	if !options.wants(routed) && !options.wants(bgpCrash) {
		return nil
	}
	crashes, err := bgp.Crashes(ctx, s, of.title, of.system, of.bfd, options.count(10))
	r.BGPCrashes = append(r.BGPCrashes, crashes...)
	r.Figures = append(r.Figures, bgp.CrashFigures(crashes)...)
	return err
}

func (r *report) bgpTables(ctx context.Context, s *site.Site, options options, of speaker) error {
	if of.crowd == nil || ctx.Err() != nil || !options.wants(routed) && !options.wants(bgpRoutes) {
		return nil
	}
	tables, err := bgp.Tables(ctx, s, of.title, of.crowd, options.routes, options.count(5))
	r.BGPTables = append(r.BGPTables, tables...)
	r.Figures = append(r.Figures, bgp.TableFigures(tables)...)
	return err
}

func speakers(s *site.Site, options options) []speaker {
	ours, theirs := halves(s.Beyond.V4)
	var all []speaker
	if slices.Contains(options.systems, herald) {
		fast, slow := bgp.NewHerald(s, ours, true), bgp.NewHerald(s, ours, false)
		all = append(all,
			speaker{title: fmt.Sprintf("herald, BFD %d ms × %d", bgp.BFDInterval.Milliseconds(), bgp.BFDMultiplier), system: fast, bfd: true},
			speaker{title: "herald, " + held(), system: slow, crowd: slow})
	}
	if slices.Contains(options.systems, metalLB) {
		theirs := bgp.NewMetalLB(s, metalPrograms(s), theirs)
		all = append(all, speaker{title: metalTitle + ", " + held(), system: theirs, crowd: theirs})
	}
	return all
}

func held() string { return fmt.Sprintf("hold time %s", bgp.HoldTime) }

// halves parts a range of IPv4 addresses in two; the first leaves out its first address,
// which some take for that of a network.
func halves(whole ground.Range) (first, second ground.Range) {
	middle := whole.From.As4()
	middle[2] |= 128
	second = ground.Range{From: netip.AddrFrom4(middle), To: whole.To}
	return ground.Range{From: whole.From.Next(), To: second.From.Prev()}, second
}
