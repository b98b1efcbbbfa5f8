package kubelet

import (
	"os"
	"path/filepath"
	"testing"
)

func TestImage(t *testing.T) {
	programs := t.TempDir()
	for _, name := range []string{"metallb-controller", "echo"} {
		if err := os.WriteFile(filepath.Join(programs, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	k := &Kubelet{config: Config{Programs: programs}}
	for reference, want := range map[string]string{
		"ghcr.io/heraldlb/herald:v0.1.0":                 "/herald",
		"localhost:5000/herald@sha256:00":                "/herald",
		"quay.io/metallb/controller:v0.16.2":             "/controller",
		"localhost:5000/metallb/controller:v1@sha256:00": "/controller",
		"localhost:5000/metallb/controller":              "/controller",
		"quay.io/metallb/speaker:v0.16.2":                "", // not built
		"quay.io/prometheus/metallb/controller:v0.16.2":  "",
		"echo":     "",
		"heraldlb": "",
	} {
		image, ok := k.image(reference)
		if ok != (want != "") || image.entrypoint != want {
			t.Errorf("%s: got %q, %t; want %q", reference, image.entrypoint, ok, want)
		}
	}
}
