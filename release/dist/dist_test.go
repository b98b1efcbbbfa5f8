package dist

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"

	"github.com/heraldlb/herald/release/image"
	"github.com/heraldlb/herald/release/internal/programs"
)

// release is one of small programs in place of Herald's.
func release(t *testing.T) Release {
	t.Helper()
	extras := t.TempDir()
	if err := os.WriteFile(filepath.Join(extras, "herald.1"), []byte(".TH HERALD 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	built := programs.Build(t, image.Programs()...)
	made := Release{
		Source: image.Source{
			Version: "v1.2.3",
			Commit:  "0123456789abcdef",
			Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
			Licence: "../../LICENSE",
		},
		Image:     name.MustParseReference("registry.example/herald:v1.2.3").(name.Tag),
		Root:      "../..",
		Extras:    extras,
		Downloads: "https://example.org/downloads",
	}
	for _, text := range []string{"linux/" + runtime.GOARCH, "linux/arm/v7"} {
		platform, err := image.ParsePlatform(text)
		if err != nil {
			t.Fatal(err)
		}
		made.Built = append(made.Built, image.Built{Platform: platform, Dir: built})
	}
	return made
}

func TestMake(t *testing.T) {
	dir, again := t.TempDir(), t.TempDir()
	names, err := Make(release(t), dir)
	if err != nil {
		t.Fatal(err)
	}
	here := "herald-v1.2.3-linux-" + runtime.GOARCH
	want := []string{
		"herald-1.2.3.tgz",
		"herald-v1.2.3-image.tar",
		here + "-image.tar", here + ".cdx.json", here + ".tar.gz",
		"herald-v1.2.3-linux-arm-v7-image.tar", "herald-v1.2.3-linux-arm-v7.cdx.json", "herald-v1.2.3-linux-arm-v7.tar.gz",
		"herald.yaml", "install.yaml", "release-notes.md",
		"SHA256SUMS",
	}
	slices.Sort(want[:len(want)-1])
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	check := exec.CommandContext(t.Context(), "sha256sum", "--check", "--strict", "SHA256SUMS")
	check.Dir = dir
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	// Of programs that were built anew, elsewhere.
	if _, err := Make(release(t), again); err != nil {
		t.Fatal(err)
	}
	if first, second := read(t, dir, "SHA256SUMS"), read(t, again, "SHA256SUMS"); first != second {
		t.Errorf("made twice, the files are not the same:\n%s", cmp.Diff(first, second))
	}
	testArchive(t, dir)
	testKrew(t, dir)
	testTexts(t, dir)
}

func testArchive(t *testing.T, dir string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "tar", "--list", "--verbose", "--file", filepath.Join(dir, "herald-v1.2.3-linux-"+runtime.GOARCH+".tar.gz")).Output()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		got = append(got, fields[0]+" "+strings.Join(fields[5:], " "))
	}
	want := []string{
		"-rwxr-xr-x herald", "-rwxr-xr-x herald-announcer",
		"-rwxr-xr-x kubectl_complete-herald", "-rw-r--r-- LICENSE", "-rw-r--r-- herald.1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("archive (-want +got):\n%s", diff)
	}
}

// testKrew has krew itself install the plugin, and runs it.
func testKrew(t *testing.T, dir string) {
	t.Helper()
	root := t.TempDir()
	install := exec.CommandContext(t.Context(), "go", "tool", "krew", "install",
		"--manifest", filepath.Join(dir, "herald.yaml"), "--archive", filepath.Join(dir, "herald-v1.2.3-linux-"+runtime.GOARCH+".tar.gz"))
	install.Env = append(os.Environ(), "KREW_ROOT="+root)
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := exec.CommandContext(t.Context(), filepath.Join(root, "bin/kubectl-herald")).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func testTexts(t *testing.T, dir string) {
	t.Helper()
	sum, _, _ := strings.Cut(line(t, dir, "SHA256SUMS", "linux-arm-v7.tar.gz"), " ")
	for file, parts := range map[string][]string{
		"install.yaml":     {"image: registry.example/herald:v1.2.3\n", "kind: DaemonSet\n"},
		"herald.yaml":      {"version: v1.2.3\n", "uri: https://example.org/downloads/v1.2.3/herald-v1.2.3-linux-arm-v7.tar.gz\n      sha256: " + sum + "\n"},
		"release-notes.md": {"# Herald v1.2.3\n", "### Added\n", "https://example.org/downloads/v1.2.3/herald-1.2.3.tgz", "registry.example/herald:v1.2.3@sha256:"},
	} {
		text := read(t, dir, file)
		for _, part := range parts {
			if !strings.Contains(text, part) {
				t.Errorf("%s has no %q", file, part)
			}
		}
	}
}

func TestVersion(t *testing.T) {
	for _, version := range []string{"0123abc", "vnext"} {
		bad := release(t)
		bad.Version = version
		if _, err := Make(bad, t.TempDir()); err == nil {
			t.Errorf("there is a release %s", version)
		}
	}
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// line is the line of a file that ends in this.
func line(t *testing.T, dir, name, end string) string {
	t.Helper()
	for line := range strings.SplitSeq(read(t, dir, name), "\n") {
		if strings.HasSuffix(line, end) {
			return line
		}
	}
	t.Fatalf("%s has no line that ends in %s", name, end)
	return ""
}
