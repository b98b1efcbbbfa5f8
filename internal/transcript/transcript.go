// Package transcript tests what decides by transcripts: files in which a line that starts
// with ">" is what happens, and those below it are what comes of it.
package transcript

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Flag registers -update, which has the transcripts written anew. It is called before
// flags are parsed.
func Flag() { flag.Bool("update", false, "write the transcripts of testdata anew") }

// Run has each file that matches pattern replayed, which has to give what it says.
func Run(t *testing.T, pattern string, replay func(t *testing.T, text string) string) {
	t.Helper()
	update := flag.Lookup("update").Value.String() == "true"
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("transcripts: %v, %v", files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := replay(t, string(b))
			if update {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			} else if d := cmp.Diff(strings.Split(string(b), "\n"), strings.Split(got, "\n")); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}
