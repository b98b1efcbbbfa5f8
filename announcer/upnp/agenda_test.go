package upnp

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// play drives an agenda: a transcript of what it does, and what comes of it.
type play struct {
	*testing.T
	*agenda
	now time.Time
}

func newPlay(t *testing.T) *play {
	half := func() float64 { return 0.5 } // no jitter
	return &play{T: t, agenda: newAgenda(half), now: time.Unix(1_000_000, 0)}
}

func rule(text string) Rule {
	at, protocol, _ := strings.Cut(text, "/")
	addrPort := netip.MustParseAddrPort(at)
	return Rule{addrPort.Addr(), Protocol(protocol), addrPort.Port()}
}

func wants(rules ...string) []Want {
	var all []Want
	for _, text := range rules {
		all = append(all, Want{Rule: rule(text), For: "default/web", Lease: time.Hour})
	}
	return all
}

// expect checks what is due after a wait, which is how long exactly.
func (p *play) expect(after time.Duration, what action, of string) {
	p.Helper()
	if after > 0 {
		if s, _ := p.next(p.now.Add(after - time.Millisecond)); s.action != rest {
			p.Fatalf("%v too early: %+v", after, s)
		}
	}
	_, at := p.next(p.now)
	if after > 0 && !at.Equal(p.now.Add(after)) {
		p.Fatalf("due in %v, want %v", at.Sub(p.now), after)
	}
	p.now = p.now.Add(after)
	s, _ := p.next(p.now)
	got := ""
	if s.want.Client.IsValid() {
		got = s.want.String()
	}
	if s.action != what || got != of {
		p.Fatalf("due is %d of %q, want %d of %q", s.action, got, what, of)
	}
}

func (p *play) idle() {
	p.Helper()
	if s, at := p.next(p.now); s.action != rest || !at.IsZero() {
		p.Fatalf("due is %+v at %v, want nothing ever", s, at)
	}
}

func (p *play) is(of string, state State, external string) {
	p.Helper()
	status, there := p.statuses(p.now)[rule(of)]
	got := ""
	if status.External.IsValid() {
		got = status.External.String()
	}
	if !there || status.State != state || got != external {
		p.Fatalf("%s is %+v, want %s at %q", of, status, state, external)
	}
}

const (
	web = "192.0.2.1:80/TCP"
	dns = "192.0.2.1:53/UDP"
)

func atHome(uptime time.Duration) condition {
	return condition{netip.MustParseAddr("198.51.100.7"), uptime}
}

// mapWeb brings web into force.
func (p *play) mapWeb() {
	p.Helper()
	p.set(wants(web), nil, p.now)
	p.expect(0, search, "")
	p.discovered("1", p.now)
	p.expect(0, check, "")
	p.checked(atHome(time.Minute), Rule{}, true, p.now)
	p.expect(0, ask, web)
	p.mapped(rule(web), time.Hour, p.now)
	p.is(web, Mapped, "198.51.100.7:80")
}

func TestAgendaRenewsAtHalfTime(t *testing.T) {
	p := newPlay(t)
	p.idle()
	p.mapWeb()
	start := p.now
	for p.now.Sub(start) < 30*time.Minute-checkInterval {
		p.expect(checkInterval, check, web)
		p.checked(atHome(time.Minute+p.now.Sub(start)), rule(web), true, p.now)
	}
	p.expect(checkInterval, ask, web)
	p.mapped(rule(web), time.Hour, p.now)
	p.is(web, Mapped, "198.51.100.7:80")
}

func TestAgendaAsksAgain(t *testing.T) {
	for name, happens := range map[string]func(*play){
		"it has lost the mapping": func(p *play) {
			p.expect(checkInterval, check, web)
			p.checked(atHome(time.Minute+checkInterval), rule(web), false, p.now)
		},
		"its connection was down": func(p *play) {
			p.expect(checkInterval, check, web)
			p.checked(atHome(time.Second), rule(web), true, p.now)
		},
		"it restarted, and says so": func(p *play) {
			p.noticed(notice{boot: "2"}, p.now)
			p.expect(0, search, "")
			p.discovered("2", p.now)
			p.expect(0, check, web)
			p.checked(atHome(time.Second), rule(web), false, p.now)
		},
		"it left, and is back": func(p *play) {
			p.noticed(notice{gone: true}, p.now)
			p.expect(retryFirst, search, "")
			p.failed("gone", p.now)
			p.noticed(notice{boot: "2"}, p.now)
			p.expect(0, search, "")
			p.discovered("2", p.now)
			p.expect(0, check, web)
			p.checked(atHome(time.Second), rule(web), false, p.now)
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlay(t)
			p.mapWeb()
			happens(p)
			p.expect(0, ask, web)
		})
	}
}

func TestAgendaBelievesWhatItKnows(t *testing.T) {
	for name, heard := range map[string]notice{
		"alive":          {boot: "1"},
		"without a boot": {},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlay(t)
			p.mapWeb()
			p.noticed(heard, p.now)
			p.expect(checkInterval, check, web)
		})
	}
	t.Run("a gateway that counts no uptime", func(t *testing.T) {
		p := newPlay(t)
		p.mapWeb()
		for range 3 {
			p.expect(checkInterval, check, web)
			p.checked(atHome(0), rule(web), true, p.now)
		}
		p.expect(checkInterval, check, web)
	})
}

func TestAgendaBacksOff(t *testing.T) {
	t.Run("no gateway", func(t *testing.T) {
		p := newPlay(t)
		p.set(wants(web), nil, p.now)
		p.expect(0, search, "")
		p.failed("none", p.now)
		p.is(web, Pending, "") // once is no proof
		for _, wait := range []int{0, 1, 2, 4, 8, 16, 32, 60, 60} {
			p.expect(time.Duration(wait)*time.Second, search, "")
			p.failed("none", p.now)
			p.is(web, NoGateway, "")
		}
	})
	t.Run("a refusal", func(t *testing.T) {
		p := newPlay(t)
		p.mapWeb()
		p.set(wants(web, dns), nil, p.now)
		p.expect(0, ask, dns)
		p.denied(rule(dns), Conflict, "taken", p.now)
		p.is(dns, Conflict, "")
		p.is(web, Mapped, "198.51.100.7:80")
		for _, wait := range []int{1, 2, 4, 8} {
			p.expect(time.Duration(wait)*time.Second, ask, dns)
			p.denied(rule(dns), Conflict, "taken", p.now)
		}
	})
	t.Run("a request that hangs", func(t *testing.T) {
		p := newPlay(t)
		p.mapWeb()
		p.set(wants(web, dns), nil, p.now)
		for _, wait := range []int{0, 1, 2, 4} {
			p.expect(time.Duration(wait)*time.Second, ask, dns)
			p.tried(rule(dns), p.now)
			p.failed("hangs", p.now)
			p.expect(0, search, "")
			p.discovered("1", p.now)
			p.expect(0, check, web)
			p.checked(atHome(time.Hour), rule(web), true, p.now)
			p.expect(0, ask, web) // since it was asked for everything
			p.mapped(rule(web), time.Hour, p.now)
		}
	})
}

func TestAgendaRemoves(t *testing.T) {
	t.Run("what is not wanted", func(t *testing.T) {
		p := newPlay(t)
		p.mapWeb()
		p.set(nil, nil, p.now)
		if p.settled() {
			t.Error("settled")
		}
		p.expect(0, remove, web)
		p.removed(rule(web))
		p.idle()
		p.set(wants(web), nil, p.now)
		p.expect(0, search, "") // it may be another by now
	})
	t.Run("not what another holds", func(t *testing.T) {
		p := newPlay(t)
		p.mapWeb()
		p.set(nil, []Rule{rule(web)}, p.now)
		p.idle()
	})
	t.Run("not what was refused", func(t *testing.T) {
		p := newPlay(t)
		p.mapWeb()
		p.noticed(notice{boot: "2"}, p.now)
		p.discovered("2", p.now)
		p.checked(atHome(0), Rule{}, true, p.now)
		p.denied(rule(web), Conflict, "taken", p.now)
		p.set(nil, nil, p.now)
		p.idle()
	})
	t.Run("what another held before", func(t *testing.T) {
		p := newPlay(t)
		p.set(wants(web), nil, p.now)
		p.set(nil, nil, p.now)
		p.expect(0, search, "")
		p.discovered("1", p.now)
		p.expect(0, remove, web)
		p.removed(rule(web))
		p.idle()
	})
	t.Run("not for long", func(t *testing.T) {
		p := newPlay(t)
		p.set(wants(web), nil, p.now)
		p.set(nil, nil, p.now)
		p.failed("none", p.now)
		p.now = p.now.Add(inheritedGone)
		p.idle()
	})
	t.Run("before what takes its place", func(t *testing.T) {
		p := newPlay(t)
		p.mapWeb()
		p.set(wants("192.0.2.0:80/TCP"), nil, p.now)
		p.expect(0, remove, web)
		p.removed(rule(web))
		p.expect(0, ask, "192.0.2.0:80/TCP")
	})
	t.Run("not what is wanted again", func(t *testing.T) {
		p := newPlay(t)
		p.mapWeb()
		p.set(nil, nil, p.now)
		p.set(wants(web), nil, p.now)
		p.expect(0, ask, web)
		p.removed(rule(web)) // too late
		p.is(web, Mapped, "198.51.100.7:80")
	})
	t.Run("until its lease is over", func(t *testing.T) {
		p := newPlay(t)
		p.mapWeb()
		p.set(nil, nil, p.now)
		p.failed("gone", p.now)
		p.failed("gone", p.now)
		p.now = p.now.Add(time.Hour)
		p.idle()
	})
}

func TestAgendaTellsWhatLapsed(t *testing.T) {
	p := newPlay(t)
	p.mapWeb()
	p.failed("gone", p.now)
	p.failed("gone", p.now)
	p.is(web, NoGateway, "")
	if p.statuses(p.now)[rule(web)].Lapsed {
		t.Error("lapsed within the lease")
	}
	p.now = p.now.Add(time.Hour)
	if !p.statuses(p.now)[rule(web)].Lapsed {
		t.Error("not lapsed after the lease")
	}
}

// Whatever happens, an agenda is neither stuck nor in a hurry.
func TestAgendaNeverSpins(t *testing.T) {
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 0))
		a := newAgenda(random.Float64)
		now := time.Unix(1_000_000, 0)
		end := now.Add(time.Hour)
		a.set(wants(web, dns), nil, now)
		steps := 0
		for now.Before(end) {
			s, at := a.next(now)
			if s.action == rest {
				if !at.After(now) {
					t.Fatalf("seed %d: rests until %v, which is past", seed, at.Sub(now))
				}
				now = at
				continue
			}
			steps++
			now = now.Add(time.Duration(random.IntN(3000)) * time.Millisecond)
			chaos(a, s, random, now)
		}
		if steps < 10 || steps > 4000 {
			t.Errorf("seed %d: %d steps in an hour", seed, steps)
		}
	}
}

func chaos(a *agenda, s step, random *rand.Rand, now time.Time) {
	switch random.IntN(4) {
	case 0:
		if s.want.Client.IsValid() {
			a.tried(s.want.Rule, now)
		}
		a.failed("hangs", now)
	case 1:
		a.noticed(notice{boot: fmt.Sprint(random.IntN(2))}, now)
	default:
	}
	switch s.action {
	case search:
		if random.IntN(2) == 0 {
			a.discovered("1", now)
		} else {
			a.failed("none", now)
		}
	case check:
		a.checked(atHome(time.Duration(random.IntN(100))*time.Second), s.want.Rule, random.IntN(2) == 0, now)
	case ask:
		if state := slices.Concat([]State{Refused, Conflict}, []State{Mapped, Mapped})[random.IntN(4)]; state == Mapped {
			a.mapped(s.want.Rule, time.Minute, now)
		} else {
			a.denied(s.want.Rule, state, "no", now)
		}
	default:
		a.removed(s.want.Rule)
	}
}
