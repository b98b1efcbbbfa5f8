package announcement

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/controllers/loadbalancer"
)

func TestInsist(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vip, since := addr("192.0.2.1"), time.Now()
		by := func(node string, since time.Time) verdict {
			return announced(node, announcer.Status{Address: vip, State: announcer.Announced, Interfaces: []string{"eth0"}, Since: since})
		}
		r := &reporter{self: "a", words: make(map[netip.Addr]word)}
		expect := func(what string, said, v verdict, doubted bool, wait time.Duration) {
			t.Helper()
			if d, w := r.insist(told(said), vip, v); d != doubted || w != wait {
				t.Errorf("%s: doubted %v, wait %v; want %v, %v", what, d, w, doubted, wait)
			}
		}
		mine := by("a", since)
		expect("new", verdict{}, mine, false, 0)
		expect("taken over", by("b", since), mine, false, 0)
		expect("as was said", mine, mine, false, 0)
		expect("contradicted", by("b", since), mine, true, grace)
		<-time.After(grace - time.Second)
		expect("contradicted still", by("b", since), mine, true, time.Second)
		<-time.After(time.Second)
		expect("contradicted for long", by("b", since), mine, true, 0)
		expect("believed again", mine, mine, false, 0)
		expect("refused", unowned(vip, record{}), mine, true, grace)
		expect("the Service is new", verdict{}, mine, false, 0)
		later := by("a", since.Add(time.Second))
		expect("taken over anew", by("b", since), later, false, 0)
	})
}

func TestEnter(t *testing.T) {
	vip := addr("192.0.2.1")
	at := func(seconds int64) time.Time { return time.Unix(seconds, 0) }
	by := func(node string, since time.Time, interfaces ...string) verdict {
		return announced(node, announcer.Status{Address: vip, State: announcer.Announced, Interfaces: interfaces, Since: since})
	}
	svc := told(verdict{})
	for _, step := range []struct {
		name   string
		v      verdict
		before string
		since  int64 // 0: not owned
	}{
		{"the first owner", by("a", at(1), "eth0"), "", 1},
		{"on another interface", by("a", at(2), "eth1"), "", 1},
		{"another owner", by("b", at(3), "eth0"), "a", 3},
		{"nobody", unowned(vip, record{}), "", 0},
		{"an owner after nobody", by("b", at(4), "eth0"), "", 4},
	} {
		if before := step.v.enter(svc, vip); before != step.before {
			t.Errorf("%s: before it %q, want %q", step.name, before, step.before)
		}
		owner, owned := loadbalancer.OwnerOf(svc, vip)
		if owned != (step.since != 0) || owned && !owner.Since.Equal(at(step.since)) {
			t.Errorf("%s: %+v (%v), want since %d", step.name, owner, owned, step.since)
		}
	}
	// A clock that was put back, or none.
	for _, since := range []time.Time{{}, time.Now().Add(time.Hour)} {
		by("c", since).enter(svc, vip)
		if owner, _ := loadbalancer.OwnerOf(svc, vip); time.Since(owner.Since) > time.Minute || time.Until(owner.Since) > 0 {
			t.Errorf("%+v, and it is %v", owner, time.Now())
		}
	}
}
