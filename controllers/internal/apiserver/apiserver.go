// Package apiserver starts a real API server, with etcd behind it, for tests.
package apiserver

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// Start starts a dual-stack API server and stops it when the test ends. No
// controllers run in it: namespaces stay when deleted, Services get no endpoints.
func Start(t testing.TB) *rest.Config {
	t.Helper()
	environment := &envtest.Environment{
		BinaryAssetsDirectory: assets(t),
		// Generous: other packages' tests start theirs at the same time.
		ControlPlaneStartTimeout: time.Minute,
		ControlPlaneStopTimeout:  time.Minute,
	}
	flags := environment.ControlPlane.GetAPIServer().Configure()
	flags.Set("service-cluster-ip-range", "10.96.0.0/16,fd00:96::/108")
	// A test's data need not outlive its process.
	environment.ControlPlane.Etcd = &envtest.Etcd{}
	environment.ControlPlane.Etcd.Configure().Set("unsafe-no-fsync", "true")

	config, err := environment.Start()
	if err != nil {
		t.Fatalf("start the API server: %v", err)
	}
	t.Cleanup(func() {
		if err := environment.Stop(); err != nil {
			t.Errorf("stop the API server: %v", err)
		}
	})
	config.QPS = -1
	return config
}

// assets returns the directory that holds kube-apiserver and etcd: bin/assets
// at the root of the module.
func assets(t testing.TB) string {
	t.Helper()
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; root = filepath.Dir(root) {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		if root == filepath.Dir(root) {
			t.Fatal("no go.mod above the test's directory")
		}
	}
	directory := filepath.Join(root, "bin", "assets")
	for _, program := range []string{"kube-apiserver", "etcd"} {
		if _, err := os.Stat(filepath.Join(directory, program)); err != nil {
			t.Fatalf("%v: `make lab` builds it", err)
		}
	}
	return directory
}
