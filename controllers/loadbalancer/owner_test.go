package loadbalancer

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func saying(kind string, status metav1.ConditionStatus, message string, since time.Time) *corev1.Service {
	return &corev1.Service{Status: corev1.ServiceStatus{Conditions: []metav1.Condition{{
		Type: kind, Status: status, Message: message, LastTransitionTime: metav1.NewTime(since),
	}}}}
}

// What Message writes, OwnerOf reads.
func TestOwnerOfReadsMessage(t *testing.T) {
	since := time.Unix(1_700_000_000, 0)
	for _, address := range []string{"192.0.2.1", "2001:db8::1"} {
		addr := netip.MustParseAddr(address)
		for _, owner := range []Owner{
			{Node: "node-1.example.org", Interfaces: []string{"eth0"}, Since: since},
			{Node: "a", Interfaces: []string{"bond0.100", "eth,0", "on"}, Since: since},
			{Node: "a", Since: since},
		} {
			for _, stranger := range []string{"", "the stranger 02:00:00:00:00:09"} {
				message := owner.Message(addr, stranger)
				got, ok := OwnerOf(saying(AnnouncedCondition(addr), metav1.ConditionTrue, message, since), addr)
				if diff := cmp.Diff(owner, got); !ok || diff != "" {
					t.Errorf("%q: %v (-want +got):\n%s", message, ok, diff)
				}
			}
		}
	}
}

func TestOwnerOf(t *testing.T) {
	four, six := ConditionAnnouncedIPv4, ConditionAnnouncedIPv6
	for name, test := range map[string]struct {
		kind    string
		status  metav1.ConditionStatus
		message string
		addr    string
		want    string
	}{
		"as written":          {four, metav1.ConditionTrue, "a answers for 192.0.2.1 on eth0", "192.0.2.1", "a"},
		"not True":            {four, metav1.ConditionUnknown, "a answers for 192.0.2.1 on eth0", "192.0.2.1", ""},
		"a stranger":          {four, metav1.ConditionFalse, "the stranger 02:00:00:00:00:09 answers for 192.0.2.1, so a does not", "192.0.2.1", ""},
		"another":             {four, metav1.ConditionTrue, "a answers for 192.0.2.1 on eth0", "192.0.2.2", ""},
		"a longer one":        {four, metav1.ConditionTrue, "a answers for 192.0.2.1 on eth0", "192.0.2.11", ""},
		"a shorter one":       {four, metav1.ConditionTrue, "a answers for 192.0.2.11 on eth0", "192.0.2.1", ""},
		"the other family":    {four, metav1.ConditionTrue, "a answers for 192.0.2.1 on eth0", "2001:db8::1", ""},
		"the other condition": {six, metav1.ConditionTrue, "a answers for 192.0.2.1 on eth0", "192.0.2.1", ""},
		"a node so named":     {four, metav1.ConditionTrue, "192.0.2.2 answers for 192.0.2.1 on eth0", "192.0.2.2", ""},
		"no node":             {four, metav1.ConditionTrue, " answers for 192.0.2.1 on eth0", "192.0.2.1", ""},
		"something else":      {four, metav1.ConditionTrue, "somebody wrote this", "192.0.2.1", ""},
		"nothing":             {"", metav1.ConditionTrue, "", "192.0.2.1", ""},
	} {
		owner, ok := OwnerOf(saying(test.kind, test.status, test.message, time.Time{}), netip.MustParseAddr(test.addr))
		if owner.Node != test.want || ok != (test.want != "") {
			t.Errorf("%s: %+v, %v, want %q", name, owner, ok, test.want)
		}
	}
}
