package service

import (
	"net/netip"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/heraldlb/herald/controllers/loadbalancer"
	"github.com/heraldlb/herald/ipam"
)

func TestJudgement(t *testing.T) {
	four, six := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	held := []netip.Addr{four}
	both := ipam.Request{Families: []ipam.Family{ipam.IPv4, ipam.IPv6}, Required: 1}
	asking := loadbalancer.Request{Source: "spec.loadBalancerIP", Addresses: held, Overruled: []string{"another"}}
	taken := &ipam.Error{Reason: ipam.Taken, Address: four, Holder: ipam.Owner{Namespace: "shop", Name: "web"}, Detail: "why"}
	outside := &ipam.Error{Reason: ipam.OutsidePool, Address: six, Pool: "global"}
	invalid := &loadbalancer.RequestError{Source: "spec.loadBalancerIP", Value: "x", Problem: "is not an IP address"}
	for name, test := range map[string]struct {
		claim   claim
		answer  answer
		status  metav1.ConditionStatus
		reason  string
		message string
	}{
		"allocated": {
			answer: answer{addresses: held},
			status: metav1.ConditionTrue, reason: loadbalancer.ReasonAllocated, message: "192.0.2.1",
		},
		"a preferred family is missing": {
			claim: claim{request: both}, answer: answer{addresses: held},
			status: metav1.ConditionTrue, reason: loadbalancer.ReasonAllocated, message: "192.0.2.1; no IPv6 address is to be had",
		},
		"two annotations contradict": {
			claim: claim{asked: asking}, answer: answer{addresses: held},
			status: metav1.ConditionTrue, reason: loadbalancer.ReasonAllocated, message: "spec.loadBalancerIP decides, not another",
		},
		"left the pool": {
			answer: answer{addresses: held, outside: held},
			status: metav1.ConditionTrue, reason: loadbalancer.ReasonAddressLeftPool, message: "192.0.2.1",
		},
		"no pool": {
			answer: answer{refusal: &ipam.Error{Reason: ipam.NoPool, Pool: "p", Family: ipam.IPv6}, origin: poolsOrigin{note: "the note"}},
			status: metav1.ConditionFalse, reason: loadbalancer.ReasonNoPool, message: "; the note",
		},
		"exhausted": {
			answer: answer{refusal: &ipam.Error{Reason: ipam.Exhausted, Pool: "p", Family: ipam.IPv4}, origin: poolsOrigin{note: "the note"}},
			status: metav1.ConditionFalse, reason: loadbalancer.ReasonPoolExhausted, message: `pool "p" has no free IPv4 address`,
		},
		"exhausted, and the pools are not what the ConfigMap says": {
			answer: answer{refusal: &ipam.Error{Reason: ipam.Exhausted, Pool: "p", Family: ipam.IPv4}, origin: poolsOrigin{"the note", true}},
			status: metav1.ConditionFalse, reason: loadbalancer.ReasonPoolExhausted, message: "; the note",
		},
		"outside of pools that are not what the ConfigMap says": {
			answer: answer{refusal: outside, origin: poolsOrigin{"the note", true}},
			status: metav1.ConditionFalse, reason: loadbalancer.ReasonRequestOutsidePool, message: "; the note",
		},
		"outside the pool, and the request is named": {
			claim: claim{asked: asking}, answer: answer{refusal: outside},
			status: metav1.ConditionFalse, reason: loadbalancer.ReasonRequestOutsidePool, message: "spec.loadBalancerIP: address 2001:db8::1",
		},
		"taken, by whom": {
			answer: answer{refusal: taken},
			status: metav1.ConditionFalse, reason: loadbalancer.ReasonRequestTaken, message: "shop/web",
		},
		"taken, though held": {
			answer: answer{refusal: taken, addresses: held},
			status: metav1.ConditionFalse, reason: loadbalancer.ReasonAddressConflict, message: "shop/web",
		},
		"invalid": {
			claim: claim{invalid: invalid}, answer: answer{refusal: invalid},
			status: metav1.ConditionFalse, reason: loadbalancer.ReasonRequestInvalid, message: `spec.loadBalancerIP: "x" is not an IP address`,
		},
		"refused, and what is held stays": {
			answer: answer{refusal: outside, addresses: held, outside: held},
			status: metav1.ConditionFalse, reason: loadbalancer.ReasonRequestOutsidePool, message: "; 192.0.2.1 stays",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := judgement(test.claim, test.answer)
			if got.status != test.status || got.reason != test.reason || !strings.Contains(got.message, test.message) {
				t.Errorf("got %+v, want %s %s with %q", got, test.status, test.reason, test.message)
			}
		})
	}
}
