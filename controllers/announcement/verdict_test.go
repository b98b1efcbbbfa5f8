package announcement

import (
	"errors"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/controllers/loadbalancer"
)

func TestJudge(t *testing.T) {
	vip := addr("192.0.2.1")
	mac := announcer.HardwareAddr{2, 0, 0, 0, 0, 9}
	own := decision{owner: "a", speaker: "a"}
	status := func(state announcer.State, stranger announcer.HardwareAddr, interfaces ...string) announcer.Status {
		return announcer.Status{Address: vip, State: state, Interfaces: interfaces, Stranger: stranger}
	}
	tests := map[string]struct {
		record record
		want   string // "" if there is nothing to report
	}{
		"unknown":            {record{}, ""},
		"released":           {record{decision: own, status: status(announcer.Announced, nil, "eth0")}, ""},
		"another's":          {record{held: true, decision: decision{owner: "b", speaker: "b"}, status: status(announcer.Announced, nil, "eth0")}, ""},
		"too early":          {record{held: true, decision: own}, ""},
		"probing":            {record{held: true, decision: own, status: status(announcer.Probing, nil)}, ""},
		"another reports":    {record{held: true, decision: decision{speaker: "b"}}, ""},
		"announced":          {record{held: true, decision: own, status: status(announcer.Announced, nil, "eth0", "eth1")}, "True Announced Normal AddressAnnounced: a answers for 192.0.2.1 on eth0, eth1"},
		"contested":          {record{held: true, decision: own, status: status(announcer.Announced, mac, "eth0")}, "True Contested Warning AddressConflict: a answers for 192.0.2.1 on eth0; so does the stranger 02:00:00:00:00:09"},
		"conflict":           {record{held: true, decision: own, status: status(announcer.Conflict, mac)}, "False Conflict Warning AddressConflict: the stranger 02:00:00:00:00:09 answers for 192.0.2.1, so a does not"},
		"unnamed stranger":   {record{held: true, decision: own, status: status(announcer.Conflict, nil)}, "False Conflict Warning AddressConflict: a stranger answers for 192.0.2.1, so a does not"},
		"off link":           {record{held: true, decision: own, status: status(announcer.OffLink, nil)}, "False OffLink Warning AddressOffLink: a has no interface on the link of 192.0.2.1 that it may use"},
		"announcer away":     {record{held: true, decision: own, status: status(announcer.Announced, nil, "eth0"), away: true}, "Unknown AnnouncerAway Warning AnnouncerAway: the announcer of a is away: whether it answers for 192.0.2.1 is not known"},
		"away, another's":    {record{held: true, decision: decision{owner: "b", speaker: "b"}, away: true}, ""},
		"invalid":            {record{held: true, decision: decision{owner: "a", speaker: "a", invalid: errors.New("bad name")}}, "False Invalid Warning AddressNotAnnounced: bad name"},
		"no node":            {record{held: true, decision: decision{speaker: "a"}}, "False NoEligibleNode Warning AddressNotAnnounced: no node may announce 192.0.2.1: each that is ready is excluded from external load balancers or being deleted"},
		"no local endpoints": {record{held: true, decision: decision{speaker: "a", local: true}}, "False NoEligibleNode Warning AddressNotAnnounced: no node that may announce 192.0.2.1 has a usable endpoint, and externalTrafficPolicy is Local"},
	}
	for name, test := range tests {
		got := ""
		if v, ok := judge("a", vip, test.record); ok {
			got = fmt.Sprintf("%s %s %s %s: %s", v.condition.Status, v.condition.Reason, v.eventType, v.event, v.condition.Message)
			if v.condition.Type != loadbalancer.ConditionAnnouncedIPv4 {
				t.Errorf("%s: condition %s", name, v.condition.Type)
			}
		}
		if got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, test.want)
		}
	}
}

// What is reported is what answered reads, and of no other address.
func TestAnswered(t *testing.T) {
	status := announcer.Status{Address: addr("192.0.2.1"), State: announcer.Announced, Interfaces: []string{"eth0"}}
	contested := status
	contested.Stranger = announcer.HardwareAddr{2, 0, 0, 0, 0, 9}
	conflict := refusal(status.Address, ReasonConflict, "", "the stranger 02:00:00:00:00:09 answers for 192.0.2.1 on eth0")
	tests := map[string]struct {
		reported verdict
		addr     string
		want     bool
	}{
		"announced":            {announced("a", status), "192.0.2.1", true},
		"contested":            {announced("a", contested), "192.0.2.1", true},
		"conflict":             {conflict, "192.0.2.1", false},
		"another":              {announced("a", status), "192.0.2.2", false},
		"a longer one":         {announced("a", status), "192.0.2.11", false},
		"a shorter one":        {announced("a", announcer.Status{Address: addr("192.0.2.11")}), "192.0.2.1", false},
		"of the other family":  {announced("a", status), "2001:db8::1", false},
		"of a node so named":   {announced("192.0.2.2", status), "192.0.2.2", false},
		"nothing was reported": {verdict{}, "192.0.2.1", false},
	}
	for name, test := range tests {
		svc := &corev1.Service{Status: corev1.ServiceStatus{Conditions: []metav1.Condition{test.reported.condition}}}
		if got := answered(svc, addr(test.addr)); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}
