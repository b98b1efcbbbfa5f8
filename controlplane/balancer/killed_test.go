package balancer

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"testing"
)

// asProcess has the test binary be a balancer, with these backends.
const asProcess = "HERALD_BALANCER"

// serveAlone is what such a process runs.
func serveAlone(t *testing.T, text string) {
	var given struct {
		CA                  string
		Frontends, Backends []netip.AddrPort
	}
	must(t, json.Unmarshal([]byte(text), &given))
	s := &segment{ca: given.CA}
	b := New(s.options(slog.New(slog.NewTextHandler(os.Stdout, nil))))
	b.SetFrontends(given.Frontends)
	b.SetBackends(given.Backends)
	must(t, b.Run(t.Context()))
}

// A balancer that is killed goes on balancing in the kernel, and what it left is
// replaced by the next.
func TestKilled(t *testing.T) {
	if text := os.Getenv(asProcess); text != "" {
		serveAlone(t, text)
		return
	}
	s := newSegment(t)
	given, err := json.Marshal(map[string]any{"CA": s.ca, "Frontends": frontends(), "Backends": s.backends(2, 3)})
	must(t, err)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestKilled$")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s", asProcess, given))
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			t.Log(lines.Text())
		}
	}()
	s.settled(2, 3)
	kept := s.streamTo(s.client, "IPv4", "node-3")
	must(t, cmd.Process.Kill())
	_ = cmd.Wait()
	if !here(t) {
		t.Error("no table after a crash")
	}
	s.settled(2, 3)
	// The next has other backends; it cuts nothing.
	_, stop := s.run(1, 2)
	s.settled(1, 2)
	must(t, kept.echo())
	stop()
	if here(t) {
		t.Error("the table stays")
	}
}
