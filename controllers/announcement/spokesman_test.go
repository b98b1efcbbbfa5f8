package announcement

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/controllers/advertisement"
	"github.com/heraldlb/herald/election"
)

func TestSpokesman(t *testing.T) {
	vip, now := addr("192.0.2.1"), time.Now()
	long := now.Add(-time.Hour)
	able := advertisement.Outcome{Told: []string{"rtr"}, Since: long}
	silent := advertisement.Outcome{Silent: []string{"rtr"}, Since: long}
	withheld := advertisement.Outcome{Withheld: []string{"rtr"}, Why: "this node has no IPv6 address", Since: long}
	part := advertisement.Outcome{Told: []string{"rtr"}, Silent: []string{"rtr-b"}, Since: long}
	ago := func(o advertisement.Outcome, d time.Duration) advertisement.Outcome { o.Since = now.Add(-d); return o }
	by := func(node string, o advertisement.Outcome) verdict { return spokesman{self: node}.verdict(vip, o) }
	layer2 := announced("b", announcer.Status{Address: vip, State: announcer.Announced, Interfaces: []string{"eth0"}})
	for name, test := range map[string]struct {
		turn    int
		said    verdict
		outcome advertisement.Outcome
		changed time.Time
		want    string // the reason of the condition, "" if it is silent
		wait    time.Duration
	}{
		"the first speaks at once":              {0, verdict{}, able, now, ReasonAdvertised, 0},
		"the third waits":                       {2, verdict{}, able, now, ReasonAdvertised, 2 * grace},
		"one that may not serve it":             {-1, verdict{}, able, now, "", 0},
		"a session that has just come up":       {0, verdict{}, ago(able, time.Second), long, ReasonAdvertised, grace - time.Second},
		"no session, for a moment":              {0, verdict{}, ago(silent, time.Second), long, ReasonNoSession, silence - time.Second},
		"no session":                            {0, verdict{}, silent, long, ReasonNoSession, 0},
		"withheld":                              {0, verdict{}, withheld, long, ReasonWithheld, 0},
		"of a new address, nobody to tell":      {0, verdict{}, advertisement.Outcome{Since: long}, now, ReasonNotSelected, 3 * grace},
		"of a new address, no session":          {1, verdict{}, silent, now, ReasonNoSession, 3*grace + 200*time.Millisecond},
		"the fortieth waits no minute":          {40, verdict{}, able, now, ReasonAdvertised, 3*grace + 37*200*time.Millisecond},
		"nobody to tell":                        {0, verdict{}, advertisement.Outcome{Since: long}, long, ReasonNotSelected, 0},
		"another spoke":                         {0, by("b", able), able, long, "", 0},
		"another spoke, and this one cannot":    {0, by("b", able), silent, long, "", 0},
		"another cannot, nor can this one":      {0, by("b", silent), silent, long, "", 0},
		"another cannot, and this one can":      {0, by("b", silent), able, long, ReasonAdvertised, 0},
		"another cannot, the third can":         {2, by("b", silent), able, long, ReasonAdvertised, 2 * grace},
		"it spoke":                              {2, by("a", able), able, long, ReasonAdvertised, 0},
		"it spoke, and lost a router":           {2, by("a", able), part, long, ReasonAdvertised, 0},
		"it spoke, and lost all":                {2, by("a", able), silent, long, ReasonNoSession, 0},
		"it could not, and can":                 {2, by("a", silent), able, long, ReasonAdvertised, 0},
		"one that is gone spoke":                {0, by("gone", able), able, long, ReasonAdvertised, 0},
		"one that is gone spoke, for the third": {2, by("gone", able), able, long, "", 0},
		"layer 2 announced it before":           {0, layer2, able, now, ReasonAdvertised, 0},
	} {
		s := spokesman{self: "a", turn: test.turn, live: []string{"a", "b", "c"}}
		v, wait, ok := s.judge(told(test.said), vip, test.outcome, test.changed, now)
		if !ok {
			v, wait = verdict{}, 0
		}
		// What a condition says of when it was written is to the second.
		if v.condition.Reason != test.want || (wait-test.wait).Abs() > time.Second {
			t.Errorf("%s: %q after %v, want %q after %v", name, v.condition.Reason, wait, test.want, test.wait)
		}
	}
}

func TestSpokesmanWords(t *testing.T) {
	vip := addr("2001:db8::1")
	for want, o := range map[string]advertisement.Outcome{
		"advertised by BGP: a tells r, s of 2001:db8::1; every eligible node does alike":                                            {Told: []string{"r", "s"}},
		"advertised by BGP: a tells r of 2001:db8::1, and has no session with s; every eligible node does alike":                    {Told: []string{"r"}, Silent: []string{"s"}},
		"not advertised by BGP: a has no session with r to tell of 2001:db8::1":                                                     {Silent: []string{"r"}},
		"not advertised by BGP: a cannot tell r of 2001:db8::1: no next hop":                                                        {Withheld: []string{"r"}, Why: "no next hop"},
		"not advertised by BGP: a has nobody to tell of 2001:db8::1: bgp.yaml names no router that is to hear of it from this node": {},
	} {
		v := spokesman{self: "a"}.verdict(vip, o)
		if v.condition.Message != want || (v.condition.Status == metav1.ConditionTrue) != (len(o.Told) > 0) {
			t.Errorf("%s: %q, want %q", v.condition.Status, v.condition.Message, want)
		}
	}
}

// The line is of those that may serve the address, and are likely to report.
func TestSpokesmenInLine(t *testing.T) {
	vip := addr("192.0.2.1")
	all := &nodes{standing: []string{"a", "b", "c"}, ready: []string{"a", "b", "d"}}
	order := election.Heaviest(vip, []string{"a", "b"}, 2)
	for i, name := range order {
		s := newSpokesman(name, vip, record{decision: decision{routed: true, eligible: true}}, all)
		if s.turn != i || len(s.live) != 2 {
			t.Errorf("%s is number %d of %v, want %d", name, s.turn, s.live, i)
		}
	}
	if s := newSpokesman("d", vip, record{decision: decision{routed: true}}, all); s.turn >= 0 {
		t.Errorf("one that may not serve it is number %d", s.turn)
	}
	local := record{decision: decision{routed: true, eligible: true, local: true, hosts: []string{order[1]}}}
	if s := newSpokesman(order[1], vip, local, all); s.turn != 0 || len(s.live) != 1 {
		t.Errorf("the only host is number %d of %v", s.turn, s.live)
	}
}
