package archive

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestTarGzip has tar itself read what was written.
func TestTarGzip(t *testing.T) {
	source := t.TempDir()
	if err := os.MkdirAll(filepath.Join(source, "b"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"b/c", "a"} {
		if err := os.WriteFile(filepath.Join(source, name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tree, err := Tree("tree", source)
	if err != nil {
		t.Fatal(err)
	}
	entries := append(tree, Entry{Name: "link", Mode: 0o777, Target: "tree/a"})
	var out bytes.Buffer
	if err := TarGzip(&out, entries, time.Unix(1700000000, 0)); err != nil {
		t.Fatal(err)
	}
	list := exec.CommandContext(t.Context(), "tar", "--list", "--verbose", "--gzip", "--utc", "--numeric-owner")
	list.Stdin = &out
	got, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	want := `drwxr-xr-x 0/0               0 2023-11-14 22:13 tree/
-rw-r--r-- 0/0               1 2023-11-14 22:13 tree/a
drwxr-xr-x 0/0               0 2023-11-14 22:13 tree/b/
-rw-r--r-- 0/0               3 2023-11-14 22:13 tree/b/c
lrwxrwxrwx 0/0               0 2023-11-14 22:13 link -> tree/a
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("tar --list (-want +got):\n%s", diff)
	}
}
