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

// Run replays each file that matches pattern, which has to give what it says. begin starts
// anew for a file, and gives what carries out a line's words and returns the lines that
// come of it. Lines that start with "#", and empty ones, stay as they are.
func Run(t *testing.T, pattern string, begin func(t *testing.T) func(words []string) []string) {
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
			got := replay(string(b), begin(t))
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

func replay(text string, tell func(words []string) []string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		switch {
		case strings.HasPrefix(line, ">"):
			out.WriteString(line)
			for _, said := range tell(strings.Fields(line[1:])) {
				out.WriteString(said + "\n")
			}
		case strings.HasPrefix(line, "#"), line == "\n":
			out.WriteString(line)
		}
	}
	return out.String()
}
