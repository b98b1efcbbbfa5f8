package tail

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTail(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, []byte("one\ntwo\nthree\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for size, want := range map[int]string{0: "", 6: "", 7: "three\n", 11: "two\nthree\n", 100: "one\ntwo\nthree\n"} {
		if got, err := Bytes(path, size); err != nil || string(got) != want {
			t.Errorf("%d bytes: %q, %v, want %q", size, got, err, want)
		}
	}
	for count, want := range map[int]string{0: "", 1: "three\n", 2: "two\nthree\n", 100: "one\ntwo\nthree\n"} {
		if got, err := Lines(path, count); err != nil || string(got) != want {
			t.Errorf("%d lines: %q, %v, want %q", count, got, err, want)
		}
	}
	if _, err := Lines(path+"x", 1); err == nil {
		t.Error("a file that is not there is an error")
	}
}
