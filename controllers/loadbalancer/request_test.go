package loadbalancer

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestRequested(t *testing.T) {
	both := []corev1.IPFamily{corev1.IPv4Protocol, corev1.IPv6Protocol}
	four := both[:1]
	for name, test := range map[string]struct {
		annotations map[string]string
		field       string
		families    []corev1.IPFamily
		want        string
		source      string
		overruled   []string
		err         string
	}{
		"nothing":            {},
		"blank":              {annotations: map[string]string{AnnotationAddresses: "  "}, field: " "},
		"ours":               {annotations: map[string]string{AnnotationAddresses: "192.0.2.1"}, want: "192.0.2.1", source: AnnotationAddresses},
		"kube-vip's":         {annotations: map[string]string{kubeVIPAddresses: "192.0.2.1"}, want: "192.0.2.1", source: kubeVIPAddresses},
		"MetalLB's":          {annotations: map[string]string{metalLBAddresses: "192.0.2.1"}, want: "192.0.2.1", source: metalLBAddresses},
		"MetalLB's old":      {annotations: map[string]string{metalLBAddressesDeprecated: "192.0.2.1"}, want: "192.0.2.1", source: metalLBAddressesDeprecated},
		"the field":          {field: "192.0.2.1", want: "192.0.2.1", source: "spec.loadBalancerIP"},
		"two families":       {annotations: map[string]string{AnnotationAddresses: " 2001:DB8::0:1 ,192.0.2.1"}, families: both, want: "192.0.2.1,2001:db8::1", source: AnnotationAddresses},
		"the first decides":  {annotations: map[string]string{metalLBAddresses: "192.0.2.2", kubeVIPAddresses: "192.0.2.1"}, field: "192.0.2.3", want: "192.0.2.1", source: kubeVIPAddresses, overruled: []string{metalLBAddresses, "spec.loadBalancerIP"}},
		"blank ones do not":  {annotations: map[string]string{AnnotationAddresses: "", kubeVIPAddresses: "192.0.2.1"}, want: "192.0.2.1", source: kubeVIPAddresses},
		"the same said more": {annotations: map[string]string{AnnotationAddresses: "192.0.2.1,2001:db8::1", metalLBAddresses: "2001:db8::1, 192.0.2.1"}, families: both, want: "192.0.2.1,2001:db8::1", source: AnnotationAddresses},
		"overruled nonsense": {annotations: map[string]string{AnnotationAddresses: "192.0.2.1"}, field: "nonsense", want: "192.0.2.1", source: AnnotationAddresses, overruled: []string{"spec.loadBalancerIP"}},

		"nonsense":           {annotations: map[string]string{AnnotationAddresses: "nonsense"}, err: AnnotationAddresses + `: "nonsense" is not an IP address`},
		"nonsense decides":   {annotations: map[string]string{AnnotationAddresses: "nonsense"}, field: "192.0.2.1", err: "nonsense"},
		"an empty item":      {annotations: map[string]string{AnnotationAddresses: "192.0.2.1,"}, err: `"" is not an IP address`},
		"a book":             {annotations: map[string]string{AnnotationAddresses: strings.Repeat("x", 200_000)}, err: `xxx"… is not an IP address`},
		"a CIDR":             {annotations: map[string]string{AnnotationAddresses: "192.0.2.1/32"}, err: "is not an IP address"},
		"leading zeros":      {annotations: map[string]string{AnnotationAddresses: "192.0.02.1"}, err: "is not an IP address"},
		"DHCP":               {annotations: map[string]string{kubeVIPAddresses: "0.0.0.0"}, err: "DHCP"},
		"a zone":             {annotations: map[string]string{AnnotationAddresses: "fe80::1%eth0"}, err: "has a zone"},
		"IPv4-mapped":        {annotations: map[string]string{AnnotationAddresses: "::ffff:192.0.2.1"}, err: "written as IPv6"},
		"multicast":          {annotations: map[string]string{AnnotationAddresses: "224.0.0.1"}, err: "not the address of a host"},
		"loopback":           {annotations: map[string]string{AnnotationAddresses: "::1"}, err: "not the address of a host"},
		"a second of family": {annotations: map[string]string{AnnotationAddresses: "192.0.2.1,192.0.2.2"}, err: `"192.0.2.2" is a second IPv4 address`},
		"a family too many":  {annotations: map[string]string{AnnotationAddresses: "192.0.2.1,2001:db8::1"}, families: four, err: `"2001:db8::1" is an IPv6 address, and the Service has only IPv4`},
	} {
		t.Run(name, func(t *testing.T) {
			svc := &corev1.Service{Spec: corev1.ServiceSpec{LoadBalancerIP: test.field, IPFamilies: test.families}}
			svc.Annotations = test.annotations
			got, err := Requested(svc)
			if test.err != "" {
				var requestError *RequestError
				if !errors.As(err, &requestError) || !strings.Contains(err.Error(), test.err) || len(err.Error()) > 300 {
					t.Fatalf("error %v, want one with %q", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var addresses []string
			for _, address := range got.Addresses {
				addresses = append(addresses, address.String())
			}
			if joined := strings.Join(addresses, ","); joined != test.want || got.Source != test.source || !slices.Equal(got.Overruled, test.overruled) {
				t.Errorf("got %+v, want %q from %q overruling %q", got, test.want, test.source, test.overruled)
			}
		})
	}
}

func FuzzRequested(f *testing.F) {
	for _, seed := range []string{"192.0.2.1", "192.0.2.1, 2001:db8::1", ",", "0.0.0.0", "fe80::1%eth0", "::ffff:1.2.3.4", "1.2.3.4,1.2.3.5"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		svc := &corev1.Service{Spec: corev1.ServiceSpec{LoadBalancerIP: text}}
		got, err := Requested(svc)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "spec.loadBalancerIP: ") {
				t.Errorf("%q: the error does not name its source: %v", text, err)
			}
			return
		}
		seen := make(map[corev1.IPFamily]bool)
		for _, address := range got.Addresses {
			if seen[Family(address)] || address.Is4In6() || address.Zone() != "" || address.IsUnspecified() {
				t.Errorf("%q: %v", text, got.Addresses)
			}
			seen[Family(address)] = true
		}
		if (len(got.Addresses) == 0) != (strings.TrimSpace(text) == "") {
			t.Errorf("%q gives %v", text, got.Addresses)
		}
	})
}

func TestAddresses(t *testing.T) {
	svc := &corev1.Service{}
	for _, ip := range []string{"2001:db8::1", "", "nonsense", "192.0.2.1", "::ffff:192.0.2.2"} {
		svc.Status.LoadBalancer.Ingress = append(svc.Status.LoadBalancer.Ingress, corev1.LoadBalancerIngress{IP: ip, Hostname: "x"})
	}
	want := []netip.Addr{netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")}
	if got := Addresses(svc); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
