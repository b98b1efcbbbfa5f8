package loadbalancer

import (
	"errors"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func annotated(name, value string) *corev1.Service {
	return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{name: value}}}
}

func TestUPnPLease(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"": DefaultUPnPLease, " 30m ": 30 * time.Minute, "168h": MaxUPnPLease,
		"0": 0, "1m": 0, "169h": 0, "3600": 0, "-1h": 0, "soon": 0, // faults
	} {
		for _, name := range []string{AnnotationUPnPLease, kubeVIPUPnPLease} {
			lease, err := UPnPLease(annotated(name, value))
			var fault *RequestError
			if faulty := errors.As(err, &fault); faulty != (want == 0) || faulty && (fault.Source != name || lease != DefaultUPnPLease) || !faulty && lease != want {
				t.Errorf("%s: %q is %v, %v", name, value, lease, err)
			}
		}
	}
}

func TestExternalPoints(t *testing.T) {
	for value, want := range map[string]string{
		"198.51.100.7:80/TCP, [2001:db8::1]:53/UDP": "198.51.100.7:80/TCP,[2001:db8::1]:53/UDP",
		"198.51.100.7:80/TCP,198.51.100.7:53/UDP":   "198.51.100.7:53/UDP,198.51.100.7:80/TCP",
		"198.51.100.7:80/TCP,198.51.100.7:80/TCP":   "198.51.100.7:80/TCP",
		"": "", "rubbish,198.51.100.7,198.51.100.7:80,:80/TCP": "",
	} {
		if got := FormatExternalPoints(ExternalPoints(annotated(AnnotationUPnPExternal, value))); got != want {
			t.Errorf("%q is %q, want %q", value, got, want)
		}
	}
}
