package portmapping

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/announcer/upnp"
	"github.com/heraldlb/herald/controllers/loadbalancer"
)

// service is one with these addresses that asks for port 80, created so many seconds
// after the first.
func service(name string, age int64, addresses ...string) *corev1.Service {
	svc := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "default", Name: name, CreationTimestamp: metav1.Unix(1_000_000+age, 0),
			Annotations: map[string]string{loadbalancer.AnnotationUPnP: "true"},
		},
		Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer, Ports: []corev1.ServicePort{{Port: 80, Protocol: corev1.ProtocolTCP}}},
	}
	for _, address := range addresses {
		svc.Status.LoadBalancer.Ingress = append(svc.Status.LoadBalancer.Ingress, corev1.LoadBalancerIngress{IP: address})
	}
	return svc
}

func all(r role) func(netip.Addr) role { return func(netip.Addr) role { return r } }

// texts says of each request its rule, and what is wrong with it.
func texts(requests []request) []string {
	var texts []string
	for _, r := range requests {
		text := r.service.Name + " " + r.String()
		if r.problem != "" {
			text += ": " + r.problem
		}
		texts = append(texts, text)
	}
	return texts
}

func TestRequests(t *testing.T) {
	for name, test := range map[string]struct {
		services []*corev1.Service
		want     []string
	}{
		"all ports": {[]*corev1.Service{with(service("web", 0, "192.0.2.1"), func(svc *corev1.Service) {
			svc.Spec.Ports = append(svc.Spec.Ports, corev1.ServicePort{Port: 53, Protocol: corev1.ProtocolUDP}, corev1.ServicePort{Port: 7, Protocol: corev1.ProtocolSCTP})
		})}, []string{"web 192.0.2.1:80/TCP", "web 192.0.2.1:53/UDP", "web 192.0.2.1:7/SCTP: port 7: gateways forward TCP and UDP, not SCTP"}},
		"both families":         {[]*corev1.Service{service("web", 0, "192.0.2.1", "2001:db8::1")}, []string{"web 192.0.2.1:80/TCP", "web [2001:db8::1]:80/TCP"}},
		"one that leads inside": {[]*corev1.Service{service("web", 0, "192.0.2.1", "fd00::1")}, []string{"web 192.0.2.1:80/TCP"}},
		"only that":             {[]*corev1.Service{service("web", 0, "fd00::1")}, []string{"web [fd00::1]:80/TCP: fd00::1 is reached from nowhere outside, pinhole or not: it is not a global address"}},
		"not asked for":         {[]*corev1.Service{with(service("web", 0, "192.0.2.1"), func(svc *corev1.Service) { svc.Annotations = nil })}, nil},
		"kube-vip's word": {[]*corev1.Service{with(service("web", 0, "192.0.2.1"), func(svc *corev1.Service) {
			svc.Annotations = map[string]string{"kube-vip.io/forwardUPNP": "true"}
		})}, []string{"web 192.0.2.1:80/TCP"}},
		"ours before kube-vip's": {[]*corev1.Service{with(service("web", 0, "192.0.2.1"), func(svc *corev1.Service) {
			svc.Annotations = map[string]string{"kube-vip.io/forwardUPNP": "true", "heraldlb.io/upnp": "false"}
		})}, nil},
		"no address":     {[]*corev1.Service{service("web", 0)}, nil},
		"is deleted":     {[]*corev1.Service{with(service("web", 0, "192.0.2.1"), func(svc *corev1.Service) { svc.DeletionTimestamp = &metav1.Time{} })}, nil},
		"the oldest has": {[]*corev1.Service{service("b", 1, "192.0.2.1"), service("a", 2, "192.0.2.2"), service("c", 0, "192.0.2.3")}, []string{"b 192.0.2.1:80/TCP: " + clash("c"), "a 192.0.2.2:80/TCP: " + clash("c"), "c 192.0.2.3:80/TCP"}},
		"who has it keeps it": {[]*corev1.Service{service("old", 0, "192.0.2.1"), with(service("new", 1, "192.0.2.2"), func(svc *corev1.Service) {
			svc.Annotations[loadbalancer.AnnotationUPnPExternal] = "198.51.100.7:80/TCP"
		})}, []string{"old 192.0.2.1:80/TCP: " + clash("new"), "new 192.0.2.2:80/TCP"}},
		"no clash by IPv6":         {[]*corev1.Service{service("a", 0, "2001:db8::1"), service("b", 1, "2001:db8::2")}, []string{"a [2001:db8::1]:80/TCP", "b [2001:db8::2]:80/TCP"}},
		"no clash with an address": {[]*corev1.Service{service("a", 0, "2001:db8::1"), service("b", 1, "192.0.2.2")}, []string{"a [2001:db8::1]:80/TCP", "b 192.0.2.2:80/TCP"}},
	} {
		t.Run(name, func(t *testing.T) {
			var services []corev1.Service
			for _, svc := range test.services {
				services = append(services, *svc)
			}
			if diff := cmp.Diff(test.want, texts(requests(services, all(mine)))); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func clash(winner string) string {
	return "the Service default/" + winner + " has the external port 80/TCP of the gateway"
}

func with(svc *corev1.Service, change func(*corev1.Service)) *corev1.Service {
	change(svc)
	return svc
}

func TestRoleOf(t *testing.T) {
	for name, test := range map[string]struct {
		status announcer.Status
		known  bool
		want   role
	}{
		"not said":     {announcer.Status{}, false, unknown},
		"announced":    {announcer.Status{State: announcer.Announced, Owner: "a"}, true, mine},
		"on standby":   {announcer.Status{State: announcer.Standby, Owner: "b"}, true, others},
		"off its link": {announcer.Status{State: announcer.OffLink, Owner: "b"}, true, others},
		"of nobody":    {announcer.Status{State: announcer.Standby}, true, nobodys},
		"a stranger's": {announcer.Status{State: announcer.Conflict, Owner: "a"}, true, nobodys},
		"probed":       {announcer.Status{State: announcer.Probing, Owner: "a"}, true, nobodys},
	} {
		if got := roleOf("a", test.status, test.known); got != test.want {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
	}
}

func TestHoldings(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	rule := upnp.Rule{Client: netip.MustParseAddr("192.0.2.1"), Protocol: upnp.TCP, Port: 80}
	asked := func(r role) []request {
		return requests([]corev1.Service{*service("web", 0, "192.0.2.1")}, all(r))
	}
	const wanted, left, dropped = "wanted", "left", "dropped"
	h := make(holdings)
	for i, step := range []struct {
		after time.Duration
		role  role
		gone  bool // the Service does not ask
		want  string
	}{
		{role: unknown, want: dropped}, // nothing is known yet, and nothing held
		{role: nobodys, want: dropped},
		{role: mine, want: wanted},
		{role: unknown, want: wanted}, // the announcer is away
		{role: nobodys, want: wanted, after: time.Second},
		{role: nobodys, want: wanted, after: orphaned - 2*time.Second},
		{role: nobodys, want: dropped, after: time.Second},
		{role: mine, want: wanted},
		{role: others, want: left},
		{role: unknown, want: dropped}, // it was not held any more
		{role: mine, want: wanted},
		{role: mine, gone: true, want: dropped},
	} {
		now = now.Add(step.after)
		requests := asked(step.role)
		if step.gone {
			requests = nil
		}
		p := h.update(requests, now)
		got := dropped
		switch {
		case len(p.wants) == 1 && p.wants[0].Rule == rule && p.wants[0].Lease == loadbalancer.DefaultUPnPLease:
			got = wanted
		case slices.Contains(p.leave, rule):
			got = left
		}
		if got != step.want {
			t.Errorf("step %d: %s, want %s", i, got, step.want)
		}
	}
}

func TestFarewell(t *testing.T) {
	one, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	h := holdings{{Client: one, Port: 1}: {}, {Client: other, Port: 2}: {}}
	left := h.farewell(func(addr netip.Addr) bool { return addr == other })
	if len(left) != 1 || left[0].Client != other {
		t.Errorf("left in force: %v", left)
	}
}

func TestJudge(t *testing.T) {
	v4 := upnp.Rule{Client: netip.MustParseAddr("192.0.2.1"), Protocol: upnp.TCP, Port: 80}
	v6 := upnp.Rule{Client: netip.MustParseAddr("2001:db8::1"), Protocol: upnp.TCP, Port: 80}
	at := netip.MustParseAddrPort
	for name, test := range map[string]struct {
		says     string
		roles    map[netip.Addr]role
		statuses map[upnp.Rule]upnp.Status
		want     outcome
		others   bool
	}{
		"mapped": {
			statuses: map[upnp.Rule]upnp.Status{v4: {State: upnp.Mapped, External: at("198.51.100.7:80")}, v6: {State: upnp.Mapped, External: at("[2001:db8::1]:80")}},
			want:     outcome{external: "198.51.100.7:80/TCP,[2001:db8::1]:80/TCP"},
		},
		"of one family by another node": {
			says:     "198.51.100.9:80/TCP,[2001:db8::1]:80/TCP",
			roles:    map[netip.Addr]role{v6.Client: others},
			statuses: map[upnp.Rule]upnp.Status{v4: {State: upnp.Mapped, External: at("198.51.100.7:80")}},
			want:     outcome{external: "198.51.100.7:80/TCP,[2001:db8::1]:80/TCP"},
		},
		"by other nodes": {roles: map[netip.Addr]role{v4.Client: others, v6.Client: nobodys}, others: true},
		"too early": {
			says: "198.51.100.7:80/TCP", statuses: map[upnp.Rule]upnp.Status{v4: {State: upnp.Pending}, v6: {State: upnp.Pending}},
			want: outcome{external: "198.51.100.7:80/TCP", pending: true},
		},
		"no gateway": {
			says: "198.51.100.7:80/TCP",
			statuses: map[upnp.Rule]upnp.Status{
				v4: {State: upnp.NoGateway, Problem: "gone"}, v6: {State: upnp.NoGateway, Problem: "gone"},
			},
			want: outcome{external: "198.51.100.7:80/TCP", reason: eventNoGateway, problem: "gone"},
		},
		"no gateway for longer than the lease": {
			says: "198.51.100.7:80/TCP",
			statuses: map[upnp.Rule]upnp.Status{
				v4: {State: upnp.NoGateway, Problem: "gone", Lapsed: true}, v6: {State: upnp.NoGateway, Problem: "gone", Lapsed: true},
			},
			want: outcome{reason: eventNoGateway, problem: "gone"},
		},
		"half of it refused": {
			says:     "[2001:db8::1]:80/TCP",
			statuses: map[upnp.Rule]upnp.Status{v4: {State: upnp.Mapped, External: at("198.51.100.7:80")}, v6: {State: upnp.Refused, Problem: "606"}},
			want:     outcome{external: "198.51.100.7:80/TCP", reason: eventRefused, problem: "606"},
		},
		"not connected": {
			statuses: map[upnp.Rule]upnp.Status{v4: {State: upnp.Mapped}, v6: {State: upnp.Mapped, External: at("[2001:db8::1]:80")}},
			want:     outcome{external: "[2001:db8::1]:80/TCP", reason: eventNoGateway, problem: "the gateway has no external address: it is not connected"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			svc := service("web", 0, v4.Client.String(), v6.Client.String())
			svc.Annotations[loadbalancer.AnnotationUPnPExternal] = test.says
			roleOf := func(addr netip.Addr) role {
				if role, there := test.roles[addr]; there {
					return role
				}
				return mine
			}
			got, ours := judge(svc, requests([]corev1.Service{*svc}, roleOf), test.statuses)
			if ours == test.others || ours && got != test.want {
				t.Errorf("%+v, %v; want %+v", got, ours, test.want)
			}
		})
	}
}

func TestMappedNote(t *testing.T) {
	for external, want := range map[string]string{
		"198.51.100.7:80/TCP,198.51.100.7:53/UDP": "at 198.51.100.7:80/TCP, 198.51.100.7:53/UDP",
		"192.168.1.2:80/TCP":                      "192.168.1.2 is not a public address",
		"100.64.0.9:80/TCP":                       "100.64.0.9 is not a public address",
		"[2001:db8::1]:80/TCP":                    "at [2001:db8::1]:80/TCP",
	} {
		if got := mapped(external); !strings.Contains(got, want) || strings.Contains(got, "public") != strings.Contains(want, "public") {
			t.Errorf("%s: %q", external, got)
		}
	}
}
