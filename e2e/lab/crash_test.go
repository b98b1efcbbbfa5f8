package lab_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/heraldlb/herald/e2e/lab"
)

// TestCrash kills the lab's first process: nothing is left, and the next lab
// comes up.
func TestCrash(t *testing.T) {
	directory := newCheckout(t)
	parameters := lab.Defaults()
	parameters.Nodes, parameters.Family = 1, lab.V4
	cluster := up(t, parameters)
	status, err := cluster.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(processes(t, directory)) == 0 {
		t.Fatal("the test does not see the lab's processes")
	}
	hold(t, status.PID)
	own, inside := namespaces(t, os.Getpid()), namespaces(t, status.PID)

	if err := syscall.Kill(status.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := cluster.Down(bounded(t)); err != nil { // waits for the end
		t.Fatal(err)
	}
	if left := processes(t, directory); len(left) > 0 {
		t.Errorf("processes left: %q", left)
	}
	if _, err := lab.Inspect(t.Context()); !errors.Is(err, lab.ErrDown) {
		t.Errorf("status of a lab that crashed: %v, want %v", err, lab.ErrDown)
	}
	for pid, held := range allNamespaces(t) {
		for kind, namespace := range held {
			if namespace == inside[kind] && namespace != own[kind] {
				t.Errorf("process %d is in the lab's %s namespace", pid, kind)
			}
		}
	}
	if files, err := filepath.Glob(filepath.Join(directory, "*")); err != nil || len(files) != 2 { // bin, e2e
		t.Errorf("files left: %q, %v", files, err)
	}
	up(t, parameters)
}

// processes returns the command lines that name the checkout.
func processes(t *testing.T, directory string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err == nil && strings.Contains(string(text), directory) { // else it has ended
			lines = append(lines, string(text))
		}
	}
	return lines
}

// hold keeps the namespaces of a process, so that the kernel gives their
// numbers to no others while the test looks who is inside.
func hold(t *testing.T, pid int) {
	t.Helper()
	for kind := range namespaces(t, pid) {
		file, err := os.Open(fmt.Sprintf("/proc/%d/ns/%s", pid, kind))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := file.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func allNamespaces(t *testing.T) map[int]map[string]string {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	all := map[int]map[string]string{}
	for _, entry := range entries {
		var pid int
		if _, err := fmt.Sscanf(entry.Name(), "%d", &pid); err == nil {
			all[pid] = namespaces(t, pid)
		}
	}
	return all
}

// namespaces returns the namespaces of a process by kind; none where it has
// ended.
func namespaces(t *testing.T, pid int) map[string]string {
	t.Helper()
	held := map[string]string{}
	for _, kind := range []string{"net", "mnt", "pid"} {
		if name, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", pid, kind)); err == nil {
			held[kind] = name
		}
	}
	return held
}
