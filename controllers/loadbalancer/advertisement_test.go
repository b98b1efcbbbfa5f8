package loadbalancer

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestAdvertisement(t *testing.T) {
	vip := netip.MustParseAddr("2001:db8::1")
	a := Advertisement{Node: "node-1", Peers: []string{"rtr-a", "rtr-b"}}
	for name, test := range map[string]struct {
		status  metav1.ConditionStatus
		message string
		want    Advertisement
		ok      bool
	}{
		"told":               {metav1.ConditionTrue, a.Message(vip, ""), a, true},
		"told, and more":     {metav1.ConditionTrue, a.Message(vip, ", and has no session with rtr-c"), a, true},
		"not True":           {metav1.ConditionUnknown, a.Message(vip, ""), Advertisement{}, false},
		"of another address": {metav1.ConditionTrue, a.Message(vip.Next(), ""), Advertisement{}, false},
		"refused":            {metav1.ConditionFalse, a.Refusal("has no session with rtr-a to tell of 2001:db8::1"), Advertisement{Node: "node-1"}, true},
		"by layer 2":         {metav1.ConditionTrue, Owner{Node: "node-1", Interfaces: []string{"eth0"}}.Message(vip, ""), Advertisement{}, false},
		"nothing":            {metav1.ConditionTrue, "", Advertisement{}, false},
	} {
		svc := new(corev1.Service)
		svc.Status.Conditions = []metav1.Condition{{Type: ConditionAnnouncedIPv6, Status: test.status, Message: test.message}}
		got, ok := AdvertisementOf(svc, vip)
		if diff := cmp.Diff(test.want, got); diff != "" || ok != test.ok {
			t.Errorf("%s: %v (-want +got):\n%s", name, ok, diff)
		}
		if _, owned := OwnerOf(svc, vip); owned != (name == "by layer 2") {
			t.Errorf("%s: owned %v", name, owned)
		}
	}
	want := "advertised by BGP: node-1 tells rtr-a, rtr-b of 2001:db8::1; every eligible node does alike"
	if got := a.Message(vip, ""); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// An address that ends in colons is told from the colon behind it.
func TestMentions(t *testing.T) {
	for _, text := range []string{"2001:db8::", "2001:db8::1", "192.0.2.1"} {
		addr := netip.MustParseAddr(text)
		for _, end := range []string{"", ",", ":", ";"} {
			if !Mentions("tells of "+text+end+" and so on", addr) {
				t.Errorf("%s is not found before %q", text, end)
			}
		}
		if Mentions("tells of "+text+"1 and "+text+"a, x"+text, addr) {
			t.Errorf("%s is found in longer ones", text)
		}
	}
}
