package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// agentVariable makes the test binary the agent; its value are the arguments.
const agentVariable = "HERALD_TEST_AGENT"

// TestAgentProcess is no test but the agent itself, where it is asked for.
func TestAgentProcess(*testing.T) {
	if args := os.Getenv(agentVariable); args != "" {
		os.Args = append([]string{"herald", "agent"}, strings.Split(args, " ")...)
		main()
		os.Exit(0)
	}
}

// agentProcess is an agent in a process of its own.
type agentProcess struct {
	t       *testing.T
	address string // of this machine, and of no other process's servers
	cmd     *exec.Cmd
	scheme  string
	client  http.Client
}

func startAgent(t *testing.T, server, socket string, more ...string) *agentProcess {
	t.Helper()
	p := &agentProcess{t: t, scheme: "http://", address: fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(250), rand.IntN(256), 1+rand.IntN(250))}
	p.cmd = exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAgentProcess$")
	args := []string{
		"--kubeconfig=" + kubeconfig(t, server), "--node-name=node-1", "--socket=" + socket,
		"--metrics-address=" + p.address + ":9643", "--health-address=" + p.address + ":9644",
	}
	p.cmd.Env = append(os.Environ(), agentVariable+"="+strings.Join(append(args, more...), " "))
	log := new(strings.Builder)
	p.cmd.Stderr = log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		if t.Failed() {
			t.Logf("the agent's log:\n%s", log)
		}
	})
	return p
}

// await waits until a page has the status and the text. A server gives no
// event, so it polls.
func (p *agentProcess) await(url string, status int, text string) {
	p.t.Helper()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	var last string
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); <-ticker.C {
		code, body := p.get(url)
		if code == status && strings.Contains(body, text) {
			return
		}
		last = fmt.Sprintf("%d %.500s", code, body)
	}
	p.t.Fatalf("waited in vain for %d %q of %s; last was %s", status, text, url, last)
}

func (p *agentProcess) get(url string) (int, string) {
	p.t.Helper()
	request, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, p.scheme+p.address+url, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	response, err := p.client.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(body)
}

// stop asks the agent to end, and waits for it.
func (p *agentProcess) stop() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	start := time.Now()
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("after SIGTERM: %v", err)
	}
	// The grace of its Pod, after which it would be killed.
	if took := time.Since(start); took > 15*time.Second {
		p.t.Errorf("it took %v to end", took)
	}
}

// kubeconfig writes a kubeconfig for server.
func kubeconfig(t *testing.T, server string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	err := clientcmd.WriteToFile(clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{"c": {Server: server}},
		Contexts:       map[string]*clientcmdapi.Context{"x": {Cluster: "c"}},
		CurrentContext: "x",
	}, path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// An agent without an API server lives, is not ready, and ends when told to.
func TestAgentWaitsForAPIServer(t *testing.T) {
	agent := startAgent(t, "https://127.0.0.1:1", filepath.Join(t.TempDir(), "announcer.sock"), "--metrics-secure=false")
	agent.await(":9644/healthz", http.StatusOK, "ok")
	agent.await(":9644/readyz", http.StatusInternalServerError, "[-]caches failed")
	agent.await(":9643/metrics", http.StatusOK, "\nherald_announcer_connected 0\n")
	agent.await(":9643/membership", http.StatusServiceUnavailable, "the announcer is away")
	agent.await(":9643/bgp", http.StatusOK, `{"sessions":[]}`)
	agent.stop()
}

// Nobody reads the agent's port without a token.
func TestAgentPortIsGuarded(t *testing.T) {
	agent := startAgent(t, "https://127.0.0.1:1", filepath.Join(t.TempDir(), "announcer.sock"))
	agent.await(":9643/metrics", http.StatusBadRequest, "HTTP request to an HTTPS server")
	agent.client.Transport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} // its own certificate
	agent.scheme = "https://"
	for _, path := range []string{"/metrics", "/membership", "/bgp"} {
		agent.await(":9643"+path, http.StatusUnauthorized, "no valid bearer token")
	}
	agent.stop()
}

func TestAgentNeedsItsNode(t *testing.T) {
	t.Setenv("NODE_NAME", "")
	root := newRootCommand()
	root.SetArgs([]string{"agent"})
	if err := root.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), "--node-name") {
		t.Errorf("error %v does not name the flag", err)
	}
}

// kube-vip's environment of BGP is read, and what is wrong with it is named.
func TestAgentReadsKubeVIPsBGP(t *testing.T) {
	t.Setenv("bgp_enable", "true")
	t.Setenv("bgp_peeraddress", "nonsense")
	root := newRootCommand()
	root.SetArgs([]string{"agent", "--node-name=node-1", "--kubeconfig=" + kubeconfig(t, "https://127.0.0.1:1")})
	if err := root.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), "bgp_peeraddress") {
		t.Errorf("error %v does not name the variable", err)
	}
}
