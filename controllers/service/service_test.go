package service_test

import (
	"testing"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/heraldlb/herald/internal/apiserver"
)

// TestController runs the controller against a real API server. All tests share
// the server; each has a world of its own on it.
func TestController(t *testing.T) {
	ctrl.SetLogger(logr.Discard())
	klog.SetLogger(logr.Discard())
	config := apiserver.Start(t)
	for group, tests := range map[string]map[string]func(*world){
		"Addresses": addressTests(),
		"Requests":  requestTests(),
		"Sharing":   sharingTests(),
		"Waiting":   waitingTests(),
		"Leaving":   leavingTests(),
		"Pools":     poolTests(),
		"Leading":   leadingTests(),
		"Rights":    rightsTests(),
	} {
		t.Run(group, func(t *testing.T) {
			t.Parallel()
			for name, test := range tests {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					test(newWorld(t, config))
				})
			}
		})
	}
}
