// Package programs builds, for tests, small programs under the names of Herald's.
package programs

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Build builds these programs of the same few lines, in a folder of their own, and returns where they are.
func Build(t *testing.T, names ...string) string {
	t.Helper()
	sources, dir := t.TempDir(), t.TempDir()
	write(t, filepath.Join(sources, "go.mod"), "module example.org/small\n\ngo 1.26\n")
	write(t, filepath.Join(sources, "main.go"), "package main\n\nfunc main() {}\n")
	for _, name := range names {
		command := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false",
			"-ldflags", "-s -w -buildid=", "-o", filepath.Join(dir, name), ".")
		command.Dir = sources
		command.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	return dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
