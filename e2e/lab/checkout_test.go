package lab_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/heraldlb/herald/e2e/lab"
)

// patience bounds each test; a lab comes up in a fraction of it.
const patience = 3 * time.Minute

// newCheckout makes the working directory look like another checkout with the
// same programs, so that the tests' labs and the developer's do not meet.
func newCheckout(t *testing.T) string {
	t.Helper()
	root, err := lab.Root()
	if err != nil {
		t.Fatal(err)
	}
	directory := t.TempDir()
	for _, folder := range []string{filepath.Dir(directory), directory} {
		if err := os.Chmod(folder, 0o755); err != nil { // for other users
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(directory, "e2e", "lab"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(directory, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	kube, sign := filepath.Join("bin", "kube"), filepath.Join("e2e", "lab", "lab.go")
	for _, name := range []string{kube, sign} {
		if err := os.Symlink(filepath.Join(root, name), filepath.Join(directory, name)); err != nil {
			t.Fatal(err)
		}
	}
	// A copy: the program knows its checkout by its own place.
	program, err := os.ReadFile(filepath.Join(root, "bin", "lab"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(directory, "bin", "lab"), program, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(directory)
	return directory
}

// up brings a lab without Herald up and has it taken down after the test.
func up(t *testing.T, parameters lab.Parameters) *lab.Cluster {
	t.Helper()
	parameters.Deploy = ""
	ctx := bounded(t)
	cluster, err := lab.Up(ctx, parameters, func(line lab.Progress) { t.Log(line.Elapsed, line.Text) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Down(ctx); err != nil {
			t.Error(err)
		}
	})
	return cluster
}

// bounded returns a context that also serves the test's cleanup.
func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	t.Cleanup(cancel)
	return ctx
}

// program returns a command of bin/lab, as root or as another user.
func program(ctx context.Context, user int, args ...string) *exec.Cmd {
	words := append([]string{filepath.Join("bin", "lab")}, args...)
	if user != os.Geteuid() {
		id := strconv.Itoa(user)
		words = append([]string{"setpriv", "--reuid", id, "--regid", id, "--clear-groups", "--"}, words...)
	}
	return exec.CommandContext(ctx, words[0], words[1:]...)
}

// run runs a command of bin/lab and returns what it prints.
func run(t *testing.T, user int, args ...string) string {
	t.Helper()
	output, err := program(bounded(t), user, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("lab %v: %v\n%s", args, err, output)
	}
	return string(output)
}
