package lab_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/heraldlb/herald/e2e/lab"
)

// nobody is an ordinary user where the tests run as root.
const nobody = 65534

// TestProgram uses the program as its user does: as root where the test is,
// and as an ordinary user.
func TestProgram(t *testing.T) {
	users := map[string]int{"ordinary user": os.Geteuid()}
	if os.Geteuid() == 0 {
		users = map[string]int{"root": 0, "ordinary user": nobody}
	}
	for name, user := range users {
		t.Run(name, func(t *testing.T) {
			newCheckout(t)
			flags := []string{"up", "--nodes=1", "--family=v6", "--deploy="}
			run(t, user, flags...)
			t.Cleanup(func() { run(t, user, "down") })
			checkUp(t, user, flags)
			checkHosts(t, user)
			checkStreams(t, user)
			run(t, user, "down")
			if text := run(t, user, "down"); text != "" {
				t.Errorf("second down: %s", text)
			}
			if err := program(bounded(t), user, "status").Run(); err == nil {
				t.Error("status of no lab: exit code 0")
			}
		})
	}
}

// checkUp: a second up finds the lab; one that wants another lab is refused.
func checkUp(t *testing.T, user int, flags []string) {
	if text := run(t, user, flags...); !strings.Contains(text, "up already") {
		t.Errorf("second up: %s", text)
	}
	output, err := program(bounded(t), user, "up", "--nodes=2", "--deploy=").CombinedOutput()
	if err == nil || !strings.Contains(string(output), "take it down first") {
		t.Errorf("up with other parameters: %v\n%s", err, output)
	}
	var status lab.Status
	if err := json.Unmarshal([]byte(run(t, user, "status", "-o", "json")), &status); err != nil {
		t.Fatal(err)
	}
	if status.Phase != "Ready" || status.Parameters.Nodes != 1 || len(status.Processes) != 6 {
		t.Errorf("status: %+v", status)
	}
	for _, process := range status.Processes {
		if process.Exit != "" {
			t.Errorf("%s: %s", process.Component, process.Exit)
		}
	}
}

func checkHosts(t *testing.T, user int) {
	run(t, user, "exec", "remote", "--", "ping", "-c1", "-W5", "fd00:100::21")
	if nodes := run(t, user, "kubectl", "get", "nodes", "--no-headers"); !strings.Contains(nodes, "node1") || !strings.Contains(nodes, " Ready ") {
		t.Errorf("nodes: %s", nodes)
	}
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte(run(t, user, "kubeconfig")), 0o644); err != nil {
		t.Fatal(err)
	}
	output, err := exec.CommandContext(bounded(t), filepath.Join("bin", "kube"), "kubectl", "--kubeconfig", file, "version").CombinedOutput()
	if err != nil {
		t.Errorf("kubectl from the machine: %v\n%s", err, output)
	}
}

// checkStreams: exec passes on the standard streams, the working directory and
// the exit code.
func checkStreams(t *testing.T, user int) {
	directory, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	cmd := program(bounded(t), user, "exec", "client", "--", "sh", "-c", "cat; pwd; exit 7")
	cmd.Stdin = strings.NewReader("in\n")
	output, err := cmd.Output()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 7 {
		t.Errorf("exec: %v, want exit code 7", err)
	}
	if want := "in\n" + directory + "\n"; string(output) != want {
		t.Errorf("exec printed %q, want %q", output, want)
	}
	if output, err := program(bounded(t), user, "exec", "nowhere", "--", "true").CombinedOutput(); err == nil || !strings.Contains(string(output), `no host "nowhere"`) {
		t.Errorf("exec on no host: %v: %s", err, output)
	}
}
