package announcement

import (
	"errors"
	"fmt"
	"testing"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/controllers/loadbalancer"
)

// text is what a verdict says in one line.
func (v verdict) text() string {
	return fmt.Sprintf("%s %s %s %s: %s", v.condition.Status, v.condition.Reason, v.eventType, v.event, v.condition.Message)
}

func TestJudge(t *testing.T) {
	vip := addr("192.0.2.1")
	mac := announcer.HardwareAddr{2, 0, 0, 0, 0, 9}
	status := func(state announcer.State, stranger announcer.HardwareAddr, interfaces ...string) announcer.Status {
		return announcer.Status{Address: vip, State: state, Interfaces: interfaces, Stranger: stranger}
	}
	answers := status(announcer.Announced, nil, "eth0")
	invalid := decision{invalid: errors.New("bad name")}
	tests := map[string]struct {
		record record
		want   string // "" if there is nothing to report at first hand
	}{
		"unknown":          {record{}, ""},
		"released":         {record{status: answers}, ""},
		"another's":        {record{held: true, status: announcer.Status{Address: vip, State: announcer.Standby, Owner: "b"}}, ""},
		"too early":        {record{held: true}, ""},
		"probing":          {record{held: true, status: status(announcer.Probing, nil)}, ""},
		"off link":         {record{held: true, status: status(announcer.OffLink, nil)}, ""},
		"invalid":          {record{held: true, decision: invalid, status: answers}, ""},
		"announcer away":   {record{held: true, status: answers, away: true}, ""},
		"announced":        {record{held: true, status: status(announcer.Announced, nil, "eth0", "eth1")}, "True Announced Normal AddressAnnounced: a answers for 192.0.2.1 on eth0, eth1"},
		"contested":        {record{held: true, status: status(announcer.Announced, mac, "eth0")}, "True Contested Warning AddressConflict: a answers for 192.0.2.1 on eth0; so does the stranger 02:00:00:00:00:09"},
		"conflict":         {record{held: true, status: status(announcer.Conflict, mac)}, "False Conflict Warning AddressConflict: the stranger 02:00:00:00:00:09 answers for 192.0.2.1, so a does not"},
		"unnamed stranger": {record{held: true, status: status(announcer.Conflict, nil)}, "False Conflict Warning AddressConflict: a stranger answers for 192.0.2.1, so a does not"},
	}
	for name, test := range tests {
		got := ""
		if v, ok := judge("a", test.record); ok {
			got = v.text()
			if v.condition.Type != loadbalancer.ConditionAnnouncedIPv4 {
				t.Errorf("%s: condition %s", name, v.condition.Type)
			}
		}
		if got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, test.want)
		}
	}
}

func TestUnowned(t *testing.T) {
	for name, test := range map[string]struct {
		record record
		want   string
	}{
		"invalid":            {record{decision: decision{invalid: errors.New("bad name"), nobody: true}}, "False Invalid Warning AddressNotAnnounced: bad name"},
		"no node":            {record{decision: decision{nobody: true}}, "False NoEligibleNode Warning AddressNotAnnounced: no node may announce 192.0.2.1: each is excluded from external load balancers or being deleted"},
		"no local endpoints": {record{decision: decision{nobody: true, local: true}}, "False NoEligibleNode Warning AddressNotAnnounced: no node that may announce 192.0.2.1 has a usable endpoint, and externalTrafficPolicy is Local"},
		"off link":           {record{status: announcer.Status{State: announcer.OffLink}}, "False OffLink Warning AddressOffLink: no node that may announce 192.0.2.1 is known to have an interface on its link that it may use"},
		"nobody takes it":    {record{status: announcer.Status{State: announcer.Standby}}, "False NoOwner Warning AddressNotAnnounced: no node is heard to answer for 192.0.2.1, though some may"},
	} {
		if got := unowned(addr("192.0.2.1"), test.record).text(); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, test.want)
		}
	}
	want := "Unknown AnnouncerAway Warning AnnouncerAway: the announcer of a is away: whether it answers for 192.0.2.1 is not known"
	if got := away("a", addr("192.0.2.1")).text(); got != want {
		t.Errorf("away:\n got %s\nwant %s", got, want)
	}
}
