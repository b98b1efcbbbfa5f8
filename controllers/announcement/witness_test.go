package announcement

import (
	"errors"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/controllers/loadbalancer"
	"github.com/heraldlb/herald/election"
)

// told returns a Service whose condition is that of a verdict.
func told(v verdict) *corev1.Service {
	svc := new(corev1.Service)
	if v.condition.Type != "" {
		v.enter(svc, addr("192.0.2.1"))
	}
	return svc
}

func TestWitness(t *testing.T) {
	vip := addr("192.0.2.1")
	nobody := verdict{}
	by := func(node string) verdict {
		return announced(node, announcer.Status{Address: vip, State: announcer.Announced, Interfaces: []string{"eth0"}})
	}
	unheard := record{status: announcer.Status{Address: vip, State: announcer.Standby}}
	offLink := record{status: announcer.Status{Address: vip, State: announcer.OffLink}}
	invalid := record{decision: decision{invalid: errors.New("192.0.2.1 is bad")}}
	refused := unowned(vip, record{decision: decision{nobody: true}})
	gone := record{away: true, status: announcer.Status{Address: vip, State: announcer.Announced}}
	elsewhere := by("a")
	elsewhere.condition.Message = "a answers for 192.0.2.11 on eth0"
	for name, test := range map[string]struct {
		turn   int
		deaf   bool
		said   verdict
		record record
		want   string // the reason of the condition, "" if it is silent
		after  time.Duration
	}{
		"another owns":                    {0, false, nobody, record{status: announcer.Status{State: announcer.Standby, Owner: "b"}}, "", 0},
		"another owns, and this is named": {2, false, by("a"), record{status: announcer.Status{State: announcer.Standby, Owner: "b", Since: time.Unix(1_700_000_000, 0)}}, ReasonAnnounced, succession},
		"another owns, and is named":      {0, false, by("b"), record{status: announcer.Status{State: announcer.Standby, Owner: "b"}}, "", 0},
		"it owns, and probes":             {0, false, nobody, record{status: announcer.Status{State: announcer.Probing, Owner: "a"}}, "", 0},
		"it owns, off the link":           {2, true, by("a"), record{status: announcer.Status{State: announcer.OffLink, Owner: "a"}}, ReasonOffLink, grace},
		"no word yet":                     {0, false, nobody, record{}, "", 0},
		"the first speaks first":          {0, false, nobody, unheard, ReasonNoOwner, grace},
		"the third waits":                 {2, false, nobody, unheard, ReasonNoOwner, 3 * grace},
		"the first, in its words":         {0, false, refused, unheard, ReasonNoOwner, grace},
		"the third, when it was said":     {2, false, refused, unheard, "", 0},
		"another address was spoken of":   {2, false, elsewhere, unheard, ReasonNoOwner, 3 * grace},
		"it owned":                        {2, false, by("a"), unheard, ReasonNoOwner, grace},
		"it owned, off the link now":      {2, true, by("a"), offLink, ReasonOffLink, grace},
		"another owned, and is not heard": {2, false, by("b"), unheard, ReasonNoOwner, 3 * grace},
		"off the link of one that owns":   {0, true, by("b"), offLink, "", 0},
		"off the link of one that died":   {1, true, by("dead"), offLink, ReasonOffLink, 2 * grace},
		"deaf":                            {0, true, by("b"), unheard, "", 0},
		"invalid":                         {0, false, by("b"), invalid, ReasonInvalid, 0},
		"invalid, the third":              {2, false, by("b"), invalid, ReasonInvalid, 2 * grace},
		"invalid, as was said":            {2, false, unowned(vip, invalid), invalid, "", 0},
		"away, it owned":                  {2, false, by("a"), gone, ReasonAnnouncerAway, 0},
		"away, another owns":              {0, false, by("b"), gone, "", 0},
		"away, it was said":               {0, false, away("a", vip), gone, "", 0},
		"away, of a new address":          {0, false, nobody, gone, ReasonAnnouncerAway, 0},
		"away, of a new one, the third":   {2, false, nobody, gone, "", 0},
	} {
		w := witness{self: "a", turn: test.turn, ready: []string{"a", "b", "c"}, deaf: test.deaf}
		v, after, ok := w.judge(told(test.said), vip, test.record)
		if !ok {
			v, after = verdict{}, 0
		}
		if owner, owned := loadbalancer.OwnerOf(told(v), vip); owned &&
			(owner.Node != test.record.status.Owner || !owner.Since.Equal(test.record.status.Since)) {
			t.Errorf("%s: it names %s since %s, and %s is heard since %s",
				name, owner.Node, owner.Since, test.record.status.Owner, test.record.status.Since)
		}
		if v.condition.Reason != test.want || after != test.after {
			t.Errorf("%s: %q after %v, want %q after %v", name, v.condition.Reason, after, test.want, test.after)
		}
	}
}

func TestWitnessTurn(t *testing.T) {
	vip := addr("192.0.2.1")
	ready := []string{"a", "b", "c", "d"}
	order := election.Heaviest(vip, ready, 4)
	all := &nodes{standing: ready, ready: ready}
	turn := func(name string, rec record, nodes *nodes) int {
		return newWitness(name, vip, rec, nodes, announcer.View{}).turn
	}
	for i, name := range order {
		if got := turn(name, record{}, all); got != i {
			t.Errorf("%s is number %d, want %d", name, got, i)
		}
	}
	if got := turn("dead", record{}, all); got != 4 {
		t.Errorf("one that is not ready is number %d, want the last", got)
	}
	// Those that may own the address know more of it.
	last := order[3]
	if got := turn(last, record{}, &nodes{standing: []string{last}, ready: ready}); got != 0 {
		t.Errorf("the only one that is not excluded is number %d", got)
	}
	local := record{decision: decision{local: true, hosts: []string{last}}}
	if got := turn(last, local, all); got != 0 {
		t.Errorf("the only host is number %d", got)
	}
	if got := turn(order[0], local, all); got != 1 {
		t.Errorf("the first of the others is number %d, want 1", got)
	}
	alive := []announcer.Member{{Node: "b", State: announcer.Dead}, {Node: "c", State: announcer.Alive}}
	for _, view := range []announcer.View{{}, {Alone: true, Members: alive[:1]}, {Isolated: true, Members: alive}, {Members: alive[:1]}} {
		if !newWitness("a", vip, record{}, all, view).deaf {
			t.Errorf("not deaf with view %+v", view)
		}
	}
	if newWitness("a", vip, record{}, all, announcer.View{Members: alive}).deaf {
		t.Error("deaf, though it hears one that lives")
	}
}
