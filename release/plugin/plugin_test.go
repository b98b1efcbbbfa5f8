package plugin

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestKrew has krew's own tool look at the manifest.
func TestKrew(t *testing.T) {
	release := Release{Version: "v1.2.3"}
	for _, arch := range []string{"amd64", "arm64", "arm"} {
		release.Archives = append(release.Archives, Archive{
			OS: "linux", Arch: arch,
			URI:    "https://github.com/heraldlb/herald/releases/download/v1.2.3/herald-v1.2.3-linux-" + arch + ".tar.gz",
			SHA256: strings.Repeat("0123456789abcdef", 4),
		})
	}
	if out, err := validate(t, release); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	release.Version = "1.2.3"
	if out, err := validate(t, release); err == nil {
		t.Errorf("krew finds nothing wrong with a version without its letter:\n%s", out)
	}
	release.Version = "v1.2.3"
	release.Archives = append(release.Archives, release.Archives[0])
	if out, err := validate(t, release); err == nil {
		t.Errorf("krew finds nothing wrong with a platform that is there twice:\n%s", out)
	}
}

func validate(t *testing.T, release Release) (string, error) {
	t.Helper()
	// krew wants the file named like the plugin.
	path := filepath.Join(t.TempDir(), "herald.yaml")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteKrew(file, release); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "go", "tool", "validate-krew-manifest", "-skip-install", "-manifest", path).CombinedOutput()
	return string(out), err
}

// TestCompleter runs the program as kubectl would, with a kubectl that says how it was called.
func TestCompleter(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"kubectl_complete-herald": string(Completer),
		"kubectl":                 "#!/bin/sh\nprintf '<%s>' \"$@\"\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.CommandContext(t.Context(), filepath.Join(dir, "kubectl_complete-herald"), "status", "--output", "")
	command.Env = append(os.Environ(), "PATH="+dir)
	out, err := command.CombinedOutput()
	if want := "<herald><__complete><status><--output><>"; err != nil || string(out) != want {
		t.Errorf("kubectl was called with %s, %v, want %s", out, err, want)
	}
}
