package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

var update = flag.Bool("update", false, "write the transcripts anew")

// TestCheckTranscripts runs each command of testdata/check/*.txt there, and
// compares what it prints and its exit code with what the transcript shows.
func TestCheckTranscripts(t *testing.T) {
	transcripts, err := filepath.Glob("testdata/check/*.txt")
	if err != nil || len(transcripts) == 0 {
		t.Fatalf("%d transcripts, %v", len(transcripts), err)
	}
	for _, path := range transcripts {
		name := filepath.Base(path)
		t.Run(strings.TrimSuffix(name, ".txt"), func(t *testing.T) {
			t.Chdir(filepath.Dir(path))
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			got := replay(t, string(want))
			if *update {
				if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s (-want +got); -update accepts it:\n%s", path, diff)
			}
		})
	}
}

// replay runs the commands of a transcript again and returns it as it is now.
func replay(t *testing.T, transcript string) string {
	t.Helper()
	var now bytes.Buffer
	for line := range strings.Lines(transcript) {
		if command, ok := strings.CutPrefix(line, "$ herald "); ok {
			now.WriteString(line)
			runCommand(t, &now, strings.Fields(command))
		}
	}
	return now.String()
}

// runCommand runs herald with a shell's arguments; "< FILE" is its input.
func runCommand(t *testing.T, out *bytes.Buffer, args []string) {
	t.Helper()
	var stdin io.Reader = strings.NewReader("")
	if n := len(args) - 2; n >= 0 && args[n] == "<" {
		file, err := os.Open(args[n+1])
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = file.Close() }()
		stdin, args = file, args[:n]
	}
	root := &cobra.Command{Use: "herald", SilenceErrors: true, SilenceUsage: true}
	root.AddCommand(newCheckCommand())
	root.SetIn(stdin)
	root.SetOut(out)
	root.SetErr(out)
	root.SetArgs(args)
	err := root.ExecuteContext(t.Context())
	printError(out, err)
	if code := exitCode(err); code != 0 {
		fmt.Fprintf(out, "[exit %d]\n", code)
	}
}
