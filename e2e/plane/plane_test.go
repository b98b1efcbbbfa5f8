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
	if s.asker, err = NewAsker(ctx, p.Host("client"), []string{program}, p.URL("/readyz"), interval); err != nil {
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
		{"another's API server is killed", (*scene).testOtherServerKilled},
		{"all end", (*scene).testNothingLeft},
	} {
		t.Run(test.name, func(t *testing.T) {
			here := *s
			here.t = t
			test.run(&here, bounded(t))
		})
	}
}

// A holder that is told to end hands over: nobody is refused.
func (s *scene) testLeave(ctx context.Context) {
	holder, since := s.begin(ctx)
	s.must(holder.Signal(ctx, Announcer, syscall.SIGTERM))
	_, answers := s.moved(ctx, since, holder)
	failed := Failed(answers)
	for _, a := range failed {
		if a.Refused {
			s.t.Errorf("refused: %s", a.Error)
		}
	}
	if len(failed) > 2 { // those under way when the VIP moved
		s.t.Errorf("%d requests were lost: %v", len(failed), failed)
	}
	s.must(holder.Start(ctx, Announcer))
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
	if now, err := s.Holder(ctx); err != nil || now.Name != next.Name {
		s.t.Errorf("%s holds the VIP, after %s did: %v", now.Name, next.Name, err)
	}
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
