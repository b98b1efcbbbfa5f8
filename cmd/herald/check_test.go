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

// TestTranscripts runs each command of testdata/*/*.txt there, and compares what it
// prints and its exit code with what the transcript shows.
func TestTranscripts(t *testing.T) {
	transcripts, err := filepath.Glob("testdata/*/*.txt")
	if err != nil || len(transcripts) == 0 {
		t.Fatalf("%d transcripts, %v", len(transcripts), err)
	}
	for _, path := range transcripts {
		name := filepath.Base(path)
		t.Run(filepath.Base(filepath.Dir(path))+"/"+strings.TrimSuffix(name, ".txt"), func(t *testing.T) {
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
			runPipe(t, &now, command)
		}
	}
	return now.String()
}

// runPipe runs one command, or two with a pipe between them. As in a shell, the exit
// code is that of the last.
func runPipe(t *testing.T, out *bytes.Buffer, command string) {
	t.Helper()
	first, second, isPipe := strings.Cut(command, "| herald ")
	if !isPipe {
		printExit(out, runCommand(t, strings.NewReader(""), out, out, strings.Fields(first)))
		return
	}
	var between bytes.Buffer
	var unread bytes.Buffer // transcripts of their own have it
	runCommand(t, strings.NewReader(""), &between, &unread, strings.Fields(strings.TrimSuffix(first, "2>/dev/null ")))
	printExit(out, runCommand(t, &between, out, out, strings.Fields(second)))
}

func printExit(out *bytes.Buffer, code int) {
	if code != 0 {
		fmt.Fprintf(out, "[exit %d]\n", code)
	}
}

// runCommand runs herald with a shell's arguments, of which "< FILE" is its input, and
// returns its exit code.
func runCommand(t *testing.T, stdin io.Reader, stdout, stderr *bytes.Buffer, args []string) int {
	t.Helper()
	if n := len(args) - 2; n >= 0 && args[n] == "<" {
		file, err := os.Open(args[n+1])
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = file.Close() }()
		stdin, args = file, args[:n]
	}
	root := &cobra.Command{Use: "herald", SilenceErrors: true, SilenceUsage: true}
	root.AddCommand(newCheckCommand(), newConvertCommand())
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetArgs(args)
	err := root.ExecuteContext(t.Context())
	printError(stderr, err)
	return exitCode(err)
}
