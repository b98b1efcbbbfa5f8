// Package apiserver starts a real API server, with etcd behind it, for tests.
package apiserver

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// Start starts a dual-stack API server and stops it when the test ends. No
// controllers run in it: namespaces stay when deleted, Services get no endpoints.
func Start(t testing.TB) *rest.Config {
	t.Helper()
	config, _ := StartWith(t, func(*envtest.APIServer) {})
	return config
}

// StartWith starts one with other flags, and returns its administrator's kubeconfig, too.
func StartWith(t testing.TB, change func(*envtest.APIServer)) (config *rest.Config, kubeconfig []byte) {
	t.Helper()
	environment := &envtest.Environment{
		BinaryAssetsDirectory: leashed(t, assets(t)),
		// Generous: other packages' tests start theirs at the same time.
		ControlPlaneStartTimeout: time.Minute,
		ControlPlaneStopTimeout:  time.Minute,
	}
	server := environment.ControlPlane.GetAPIServer()
	server.Configure().Set("service-cluster-ip-range", "10.96.0.0/16,fd00:96::/108")
	change(server)
	// A test's data need not outlive its process.
	environment.ControlPlane.Etcd = &envtest.Etcd{}
	environment.ControlPlane.Etcd.Configure().Set("unsafe-no-fsync", "true")

	var err error
	onOneThread(t, func() { config, err = environment.Start() })
	if err != nil {
		t.Fatalf("start the API server: %v", err)
	}
	t.Cleanup(func() {
		if err := environment.Stop(); err != nil {
			t.Errorf("stop the API server: %v", err)
		}
	})
	config.QPS = -1
	return config, environment.KubeConfig
}

// programs are what an API server for tests consists of.
func programs() []string { return []string{"kube-apiserver", "etcd"} }

// leashed returns a directory of programs that do as those in another, and are
// killed with the process that starts them: a test that panics or is killed
// stops nothing itself.
func leashed(t testing.TB, directory string) string {
	t.Helper()
	leashes := t.TempDir()
	for _, program := range programs() {
		script := fmt.Sprintf("#!/bin/sh\nexec setpriv --pdeathsig KILL -- %q \"$@\"\n", filepath.Join(directory, program))
		if err := os.WriteFile(filepath.Join(leashes, program), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return leashes
}

// onOneThread runs start on a thread that stays until the test's end: to the
// kernel the parent of a process, whose death ends it, is a thread (prctl(2)).
func onOneThread(t testing.TB, start func()) {
	t.Helper()
	started, ended := make(chan struct{}), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		start()
		close(started)
		<-ended
	}()
	<-started
	t.Cleanup(func() { close(ended) })
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
	for _, program := range programs() {
		if _, err := os.Stat(filepath.Join(directory, program)); err != nil {
			t.Fatalf("%v: `make lab` builds it", err)
		}
	}
	return directory
}
