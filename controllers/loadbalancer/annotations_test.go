package loadbalancer

import (
	"reflect"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// TestAnnotationsExplained has every annotation explained, and its example read by each of its names.
func TestAnnotationsExplained(t *testing.T) {
	type understood struct {
		request        Request
		key, iface     string
		ignored, upnp  bool
		lease          string
		externalPoints int
	}
	read := func(annotations map[string]string) understood {
		svc := &corev1.Service{}
		svc.Annotations = annotations
		request, err := Requested(svc)
		if err != nil {
			t.Error(err)
		}
		request.Source = "" // differs by name
		lease, err := UPnPLease(svc)
		if err != nil {
			t.Error(err)
		}
		return understood{request, SharingKey(svc), Interface(svc), Ignored(svc), UPnP(svc), lease.String(), len(ExternalPoints(svc))}
	}
	nothing := read(nil)
	for _, a := range Annotations() {
		if a.Value == "" || a.Example == "" || a.Text == "" {
			t.Errorf("%s: not explained: %+v", a.Names, a)
		}
		first := read(map[string]string{a.Names[0]: a.Example})
		if reflect.DeepEqual(first, nothing) {
			t.Errorf("%s: %q changes nothing", a.Names[0], a.Example)
		}
		for _, name := range a.Names[1:] {
			if got := read(map[string]string{name: a.Example}); !reflect.DeepEqual(got, first) {
				t.Errorf("%s: %+v, want %+v", name, got, first)
			}
		}
	}
}
