package plane

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/heraldlb/herald/e2e/lab"
)

// interval is that of a client's requests.
const interval = 10 * time.Millisecond

// scene is a lab of a test, and a client that asks at its VIP.
type scene struct {
	*Plane
	t     *testing.T
	asker *Asker
}

func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func newScene(t *testing.T, parameters lab.Parameters) *scene {
	t.Helper()
	program := filepath.Join(t.TempDir(), "ask")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./ask").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 5*time.Minute)
	t.Cleanup(cancel)
	p, err := Up(ctx, parameters, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{Plane: p, t: t}
	t.Cleanup(func() {
		if t.Failed() {
			s.logs(ctx)
		}
		if err := p.Down(ctx); err != nil {
			t.Error(err)
		}
	})
	from := "client"
	if parameters.Elector == lab.BGP {
		from = "remote"
	}
	if s.asker, err = NewAsker(ctx, p.Host(from), []string{program}, p.URL("/readyz"), interval); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.asker.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// logs shows what Herald's processes said.
func (s *scene) logs(ctx context.Context) {
	names, err := s.Logs(ctx)
	if err != nil {
		s.t.Log(err)
	}
	for _, name := range names {
		if strings.HasPrefix(name, "cp") && strings.Contains(name, "/herald-") {
			text, _ := s.Log(ctx, name)
			s.t.Logf("%s:\n%s", name, text)
		}
	}
}

// begin waits until all is well, and returns who holds the VIP, and when that was.
func (s *scene) begin(ctx context.Context) (lab.Host, time.Time) {
	s.t.Helper()
	s.must(s.Ready(ctx))
	holder, err := s.Holder(ctx)
	s.must(err)
	now := time.Now()
	s.steady(ctx, now, 300*time.Millisecond)
	return holder, now
}

// moved waits until another holds the VIP and all is answered again, and returns that
// other, and what became of the requests since then.
func (s *scene) moved(ctx context.Context, since time.Time, from lab.Host) (lab.Host, []Answer) {
	s.t.Helper()
	next, err := s.Holder(ctx, from.Name)
	s.must(err)
	answers := s.window(ctx, since, "from "+from.Name+" to "+next.Name)
	return next, answers
}

// window waits until all is answered again, and returns what became of the requests.
func (s *scene) window(ctx context.Context, since time.Time, what string) []Answer {
	s.t.Helper()
	answers, end, err := s.asker.Window(ctx, since, time.Now(), 300*time.Millisecond)
	s.must(err)
	s.t.Logf("%s: an outage of %s, %d of %d requests failed, the slowest took %s",
		what, Outage(answers, end), len(Failed(answers)), len(answers), Slowest(answers))
	return answers
}

func (s *scene) steady(ctx context.Context, t time.Time, long time.Duration) {
	s.t.Helper()
	_, _, err := s.asker.Window(ctx, t, t, long)
	s.must(err)
}

func (s *scene) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// What may happen to a holder by heartbeats, one thing after the other on one lab.
func TestHeartbeat(t *testing.T) {
	parameters := Parameters("heartbeat")
	parameters.Balance = true
	s := newScene(t, parameters)
	for _, test := range []struct {
		name string
		run  func(*scene, context.Context)
	}{
		{"is told to end", (*scene).testLeave},
		{"its API server is killed", (*scene).testServerKilled},
		{"its member of etcd is killed", (*scene).testEtcdKilled},
		{"crashes", (*scene).testCrash},
		{"is cut off", (*scene).testPartition},
		{"its announcer hangs", (*scene).testHang},
		{"its announcer is killed", (*scene).testKilled},
		{"its announcer is killed, and it is cleaned up", (*scene).testCleanup},
		{"another's API server is killed", (*scene).testOtherServerKilled},
		{"all end", (*scene).testNothingLeft},
		{"another host has the VIP", (*scene).testStranger},
	} {
		t.Run(test.name, func(t *testing.T) {
			here := *s
			here.t = t
			test.run(&here, bounded(t))
		})
	}
}

// A holder that is told to end hands over: no request fails, those under way included.
func (s *scene) testLeave(ctx context.Context) {
	holder, since := s.begin(ctx)
	s.must(holder.Signal(ctx, Announcer, syscall.SIGTERM))
	_, answers := s.moved(ctx, since, holder)
	for _, a := range Failed(answers) {
		s.t.Errorf("lost, after %s: %s", a.Took, a.Error)
	}
	s.must(Start(ctx, holder, Announcer))
}

func (s *scene) testServerKilled(ctx context.Context) {
	holder, since := s.begin(ctx)
	s.must(holder.Signal(ctx, APIServer, syscall.SIGKILL))
	s.moved(ctx, since, holder)
	s.must(holder.Start(ctx, APIServer))
}

func (s *scene) testEtcdKilled(ctx context.Context) {
	holder, since := s.begin(ctx)
	s.must(holder.Signal(ctx, Etcd, syscall.SIGKILL))
	s.moved(ctx, since, holder)
	s.must(holder.Start(ctx, Etcd))
}

func (s *scene) testCrash(ctx context.Context) {
	holder, since := s.begin(ctx)
	s.must(holder.Crash(ctx))
	s.moved(ctx, since, holder)
	if _, err := s.Host("client").Run(ctx, "curl", "--insecure", "--silent", "--fail", s.URL("/readyz")); err != nil {
		s.t.Error(err)
	}
	s.must(holder.Boot(ctx))
}

// Who is cut off from the others, but not from its clients, has no quorum of etcd: its API
// server is not ready, and it gives the VIP up. When it is back, one holds it.
func (s *scene) testPartition(ctx context.Context) {
	holder, since := s.begin(ctx)
	s.must(s.Cut(ctx, holder))
	s.must(Await(ctx, func() (bool, error) {
		holds, err := s.Holds(ctx, holder)
		return !holds, err
	}))
	s.must(s.Heal(ctx))
	s.moved(ctx, since, holder)
}

// The kernel of an announcer that hangs takes the VIP off by itself.
func (s *scene) testHang(ctx context.Context) {
	holder, since := s.begin(ctx)
	s.must(s.Stop(ctx, holder, Announcer))
	next, _ := s.moved(ctx, since, holder)
	s.must(s.Continue(ctx, holder, Announcer))
	s.steady(ctx, time.Now(), time.Second)
	// Both claim it then, and the one that weighs more keeps it.
	if now, err := s.Holder(ctx); err != nil || now.Name != next.Name && now.Name != holder.Name {
		s.t.Errorf("%s holds the VIP, after %s did: %v", now.Name, next.Name, err)
	}
}

// What the announcer that was killed left, the next one takes off.
func (s *scene) testKilled(ctx context.Context) {
	holder, since := s.begin(ctx)
	s.must(holder.Signal(ctx, Announcer, syscall.SIGKILL))
	s.must(Start(ctx, holder, Announcer))
	s.moved(ctx, since, holder)
	text, err := s.Log(ctx, holder.Name+"/"+Announcer+".log")
	s.must(err)
	for _, vip := range s.VIPs() {
		if !strings.Contains(string(text), "a VIP of an earlier run was still there and is taken off\" vip="+vip.String()) {
			s.t.Errorf("it did not say that it took off %s", vip)
		}
	}
}

// On a node that leaves, herald cleanup does that, and says so.
func (s *scene) testCleanup(ctx context.Context) {
	holder, since := s.begin(ctx)
	s.must(holder.Signal(ctx, Announcer, syscall.SIGKILL))
	root, err := lab.Root()
	s.must(err)
	said, err := holder.Run(ctx, filepath.Join(root, "bin", "herald"), "cleanup", "--interface", "eth0")
	s.must(err)
	want := []string{"nftables table inet herald-controlplane: removed\n"}
	for _, vip := range s.VIPs() {
		want = append(want, vip.String()+": off eth0\n")
	}
	for _, line := range want {
		if !strings.Contains(string(said), line) {
			s.t.Errorf("it said %q, want %q in it", said, line)
		}
	}
	s.moved(ctx, since, holder)
	tables, err := holder.Run(ctx, "nft", "list", "tables")
	s.must(err)
	if strings.Contains(string(tables), "herald") {
		s.t.Errorf("tables are left: %s", tables)
	}
	s.must(Start(ctx, holder, Announcer))
}

// A VIP that another host has is not taken, and that host is named, until it gives it up.
func (s *scene) testStranger(ctx context.Context) {
	stranger := s.Nodes()[0]
	_, err := stranger.Run(ctx, "ip", "address", "add", s.VIP.String(), "dev", "eth0")
	s.must(err)
	output, err := stranger.Run(ctx, "cat", "/sys/class/net/eth0/address")
	s.must(err)
	mac := "stranger=" + strings.TrimSpace(string(output))
	for _, host := range s.ControlPlanes() {
		s.must(Start(ctx, host, Announcer))
	}
	s.must(Await(ctx, func() (bool, error) {
		for _, host := range s.ControlPlanes() {
			text, err := s.Log(ctx, host.Name+"/"+Announcer+".log")
			if err != nil {
				return false, err
			}
			for line := range strings.Lines(string(text)) {
				if strings.Contains(line, "another host uses the VIP") && strings.Contains(line, mac) {
					return true, nil
				}
			}
		}
		return false, nil
	}))
	for _, host := range s.ControlPlanes() {
		output, err := host.Run(ctx, "ip", "address", "show", "to", s.VIP.String())
		s.must(err)
		if len(output) > 0 {
			s.t.Errorf("%s took it: %s", host.Name, output)
		}
	}
	_, err = stranger.Run(ctx, "ip", "address", "del", s.VIP.String(), "dev", "eth0")
	s.must(err)
	_, err = s.Holder(ctx)
	s.must(err)
	s.steady(ctx, time.Now(), 300*time.Millisecond)
}

// Connections are shared out: an API server that ends takes those it had with it, and new
// ones go elsewhere. The holder stays.
func (s *scene) testOtherServerKilled(ctx context.Context) {
	holder, since := s.begin(ctx)
	var other lab.Host
	for _, host := range s.ControlPlanes() {
		if host.Name != holder.Name {
			other = host
		}
	}
	s.must(other.Signal(ctx, APIServer, syscall.SIGKILL))
	s.window(ctx, since, "the API server of "+other.Name+" killed")
	if now, err := s.Holder(ctx); err != nil || now.Name != holder.Name {
		s.t.Errorf("%s holds the VIP, before %s did: %v", now.Name, holder.Name, err)
	}
	s.must(other.Start(ctx, APIServer))
}

// When all announcers have ended, nothing of them is left.
func (s *scene) testNothingLeft(ctx context.Context) {
	s.begin(ctx)
	for _, host := range s.ControlPlanes() {
		s.must(host.Signal(ctx, Announcer, syscall.SIGTERM))
	}
	for _, host := range s.ControlPlanes() {
		s.must(Await(ctx, func() (bool, error) {
			holds, err := s.Holds(ctx, host)
			if holds || err != nil {
				return false, err
			}
			tables, err := host.Run(ctx, "nft", "list", "tables")
			return !strings.Contains(string(tables), "herald"), err
		}))
	}
}

// By raft or a Lease, nobody else has the VIP before who had it gave it up, or its term
// ended, whatever of it hangs or dies.
func TestTerms(t *testing.T) {
	for elector, args := range map[string]string{
		"raft":  "",
		"lease": "--lease-duration=3s --renew-deadline=2s --retry-period=500ms",
	} {
		t.Run(elector, func(t *testing.T) {
			parameters := Parameters(elector)
			parameters.ElectorArgs = args
			s := newScene(t, parameters)
			for name, harm := range map[string]func(context.Context, lab.Host) (mend func() error){
				"crash": func(ctx context.Context, h lab.Host) func() error {
					s.must(h.Crash(ctx))
					return func() error { return h.Boot(ctx) }
				},
				"elector hangs": func(ctx context.Context, h lab.Host) func() error {
					s.must(s.Stop(ctx, h, ControlPlane))
					return func() error { return s.Continue(ctx, h, ControlPlane) }
				},
				"all of it hangs": func(ctx context.Context, h lab.Host) func() error {
					s.must(s.Stop(ctx, h, ControlPlane, Announcer))
					return func() error { return s.Continue(ctx, h, ControlPlane, Announcer) }
				},
				"announcer hangs": func(ctx context.Context, h lab.Host) func() error {
					s.must(s.Stop(ctx, h, Announcer))
					return func() error { return s.Continue(ctx, h, Announcer) }
				},
				"API server is killed": func(ctx context.Context, h lab.Host) func() error {
					s.must(h.Signal(ctx, APIServer, syscall.SIGKILL))
					return func() error { return h.Start(ctx, APIServer) }
				},
			} {
				t.Run(name, func(t *testing.T) {
					here := *s
					here.t = t
					ctx := bounded(t)
					holder, since := here.begin(ctx)
					monitor, err := here.NewMonitor(ctx)
					here.must(err)
					mend := harm(ctx, holder)
					here.moved(ctx, since, holder)
					spans, err := monitor.Stop()
					here.must(err)
					for _, o := range Overlaps(spans) {
						// What a power cut leaves in a kernel nobody reaches.
						if name != "crash" {
							t.Errorf("%s and %s had %s at once, for %s", o.A.Host, o.B.Host, o.A.VIP, o.Long)
						}
					}
					here.must(mend())
				})
			}
		})
	}
}
