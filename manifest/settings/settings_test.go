package settings

import (
	"bufio"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/heraldlb/herald/manifest"
)

// environment is one for Read.
type environment map[string]string

func (e environment) lookup(name string) (string, bool) {
	text, found := e[name]
	return text, found
}

// parse reads a command line and an environment.
func parse(t *testing.T, env environment, args ...string) (Values, error) {
	t.Helper()
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	Register(set)
	if err := set.Parse(args); err != nil {
		t.Fatal(err)
	}
	return Read(set, env.lookup)
}

// options are what a command line and an environment ask for.
func options(t *testing.T, env environment, args ...string) (manifest.Options, []string, error) {
	t.Helper()
	values, err := parse(t, env, args...)
	if err != nil {
		return manifest.Options{}, nil, err
	}
	return values.Options()
}

// Each flag and variable that kube-vip has is known, and there is no other but Herald's
// own.
func TestEveryOneOfKubeVIPs(t *testing.T) {
	file, err := os.Open("testdata/kube-vip.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	theirs := make(map[string]bool)
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if line := lines.Text(); !strings.HasPrefix(line, "#") {
			theirs[line] = true
		}
	}
	ours := make(map[string]bool)
	for _, s := range All() {
		if s.Outcome == Own {
			if s.Env != "herald_"+strings.ReplaceAll(s.Flag, "-", "_") {
				t.Errorf("the environment of --%s is %s", s.Flag, s.Env)
			}
			continue
		}
		if s.Flag != "" {
			ours["--"+s.Flag] = true
		}
		if s.Env != "" {
			ours[s.Env] = true
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(theirs)), slices.Sorted(maps.Keys(ours))); diff != "" {
		t.Errorf("settings (-kube-vip's +ours):\n%s", diff)
	}
}

// another returns a value that is not the default's.
func another(s Setting) string {
	switch {
	case s.Flag == "port" || s.Flag == "lbPort":
		return "7443"
	case s.Flag == "elector":
		return "lease"
	case s.Flag == "distribution":
		return "k3s"
	case s.Flag == "health-period" || s.Flag == "health-timeout" || s.Flag == "raft-heartbeat":
		return "123ms"
	case s.Flag == "log":
		return "-4"
	case s.Flag == "log-level":
		return "warn"
	case s.Kind == Switch:
		return map[string]string{"true": "false", "false": "true"}[s.Default]
	case s.Kind == Number:
		return "77"
	case s.Kind == Text, s.Kind == List:
	}
	return "another"
}

// What the table says of a setting is what becomes of it, by flag and by environment.
func TestOutcomes(t *testing.T) {
	// All roles, so that every setting has something to act on.
	base := environment{"address": "192.0.2.1", "cp_enable": "true", "svc_enable": "true", "lb_enable": "true", "herald_elector": "lease"}
	for _, s := range All() {
		t.Run(s.Name(), func(t *testing.T) {
			given := another(s)
			env := maps.Clone(base)
			if s.Env != "" {
				delete(env, s.Env)
			}
			switch s.Flag {
			case "vip":
				delete(env, "address")
			case "leaderElectionType":
				delete(env, "herald_elector")
				given = "kubernetes"
			case "leaderElection":
				delete(env, "herald_elector") // with a Lease it is what kube-vip does
			}
			if isBGP(s) {
				env["bgp_enable"] = "true"
			}
			if strings.HasPrefix(s.Flag, "raft-") {
				env["herald_elector"] = "raft"
			}
			before, _, err := options(t, env)
			if err != nil {
				t.Fatal(err)
			}
			if s.Env != "" {
				with := maps.Clone(env)
				with[s.Env] = given
				after, notes, err := options(t, with)
				s.judge(t, "environment "+s.Env, !reflect.DeepEqual(before, after), notes, err)
			}
			if s.Flag != "" {
				after, notes, err := options(t, env, "--"+s.Flag+"="+given)
				s.judge(t, "--"+s.Flag, !reflect.DeepEqual(before, after), notes, err)
			}
		})
	}
}

// judge holds what came of a setting against the table.
func (s Setting) judge(t *testing.T, by string, changed bool, notes []string, err error) {
	t.Helper()
	noted := len(notes) == 1 && notes[0] == by+": "+s.Text
	switch s.Outcome {
	case Missing:
		if err == nil || !strings.Contains(err.Error(), by+": "+s.Text) {
			t.Errorf("%s: error %v, want one that says why", by, err)
		}
		return
	case Tuning:
		if changed || !noted {
			t.Errorf("%s: changed %t, notes %q; want a note and no change", by, changed, notes)
		}
	case Differs:
		if !noted {
			t.Errorf("%s: notes %q, want one", by, notes)
		}
	case Same, Own:
		// What there is no other way of, and what the DaemonSet does in any case.
		nothing := of(s.Flag, "arp", "inCluster")
		if !changed && !nothing || len(notes) > 0 {
			t.Errorf("%s: changed %t, notes %q; want a change and no note", by, changed, notes)
		}
	}
	if err != nil {
		t.Errorf("%s: %v", by, err)
	}
}

func TestPrecedence(t *testing.T) {
	for _, s := range All() {
		given := another(s)
		if s.Flag == "" || s.Env == "" {
			continue
		}
		t.Run(s.Flag, func(t *testing.T) {
			for name, tt := range map[string]struct {
				env  environment
				args []string
				want string
			}{
				"nothing":              {nil, nil, s.Default},
				"environment":          {environment{s.Env: given}, nil, given},
				"empty environment":    {environment{s.Env: ""}, nil, s.Default},
				"flag":                 {nil, []string{"--" + s.Flag + "=" + given}, given},
				"flag and environment": {environment{s.Env: given}, []string{"--" + s.Flag + "=" + s.Default}, s.Default},
			} {
				if s.Kind == List && name == "flag and environment" {
					tt.args, tt.want = []string{"--" + s.Flag + "=x,y", "--" + s.Flag + "=z"}, "x,y,z"
				}
				values, err := parse(t, tt.env, tt.args...)
				if (err != nil) != (s.Outcome == Missing && tt.want != s.Default) {
					t.Errorf("%s: %v", name, err)
				}
				if got := values.text(s.Flag); got != tt.want {
					t.Errorf("%s: %q, want %q", name, got, tt.want)
				}
			}
		})
	}
}

func TestKinds(t *testing.T) {
	for name, tt := range map[string]struct {
		env  environment
		args []string
		want string
	}{
		"switch":     {environment{"vip_arp": "yes"}, nil, `environment vip_arp "yes": true or false`},
		"number":     {environment{"port": "many"}, nil, `environment port "many": a number`},
		"port":       {nil, []string{"--port=70000"}, "--port 70000: no port"},
		"no port":    {environment{"lb_port": "0"}, nil, "environment lb_port 0: no port"},
		"time":       {nil, []string{"--health-period=5"}, `--health-period "5": a time`},
		"no time":    {nil, []string{"--health-timeout=-1s"}, `--health-timeout "-1s": a time`},
		"etcd":       {nil, []string{"--leaderElectionType=etcd"}, "--leaderElectionType etcd:"},
		"two faults": {environment{"vip_routingtable": "true", "vip_wireguard": "true"}, nil, "by ARP, NDP and BGP it is\nenvironment vip_wireguard:"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := options(t, tt.env, tt.args...); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q in it", err, tt.want)
			}
		})
	}
}

// What kube-vip's manifests spell out is nobody's wish: Herald's own defaults hold, and
// nothing is said.
func TestKubeVIPsDefaultsInTheEnvironment(t *testing.T) {
	env := make(environment)
	for _, s := range All() {
		if s.Env != "" && s.Outcome != Own {
			env[s.Env] = s.Default
		}
	}
	want, _, err := options(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, notes, err := options(t, env)
	if err != nil || len(notes) > 0 {
		t.Errorf("error %v, notes %q", err, notes)
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(manifest.Options{})); diff != "" {
		t.Errorf("options (-without +with):\n%s", diff)
	}
}

// What has no effect without another setting says which.
func TestIdle(t *testing.T) {
	for line, want := range map[string]string{
		"--lbPort=8443":                      "--lbPort: goes with --enableLoadBalancer",
		"--lb-backend=192.0.2.1":             "--lb-backend: goes with --enableLoadBalancer",
		"--raft-peers=a=192.0.2.1":           "--raft-peers: with --elector raft: every node of the control plane, NAME=HOST:PORT",
		"--leaseDuration=5":                  "--leaseDuration: goes with --elector lease; in seconds",
		"--lbPort=8443 --enableLoadBalancer": "",
	} {
		_, notes, err := options(t, nil, strings.Fields("--controlplane "+line)...)
		if got := strings.Join(notes, "\n"); err != nil || got != want {
			t.Errorf("%s: notes %q, %v, want %q", line, got, err, want)
		}
	}
}

func TestElector(t *testing.T) {
	for line, want := range map[string]string{
		"":                                "heartbeat",
		"--leaderElection":                "heartbeat",
		"--leaderElectionType=kubernetes": "lease",
		"--leaderElection --leaderElectionType=kubernetes --elector=raft": "raft",
		"--leaderElection --elector=lease":                                "lease",
		"--elector=heartbeat --leaderElectionType=kubernetes":             "heartbeat",
	} {
		o, _, err := options(t, nil, strings.Fields(line)...)
		if err != nil || o.VIP.Elector != want {
			t.Errorf("%q: %q, %v, want %q", line, o.VIP.Elector, err, want)
		}
	}
}

func TestNearest(t *testing.T) {
	var names []string
	for _, s := range All() {
		if s.Flag != "" {
			names = append(names, s.Flag)
		}
	}
	for written, want := range map[string]string{
		"vipp":               "vip",
		"address":            "address",
		"controlPlane":       "controlplane",
		"control-plane":      "controlplane",
		"leader-election":    "leaderElection",
		"lease-duration":     "leaseDuration",
		"intreface":          "interface",
		"loadbalancer":       "enableLoadBalancer",
		"entirelysomewhatst": "",
	} {
		if got := Nearest(written, names); got != want {
			t.Errorf("%q: %q, want %q", written, got, want)
		}
	}
}

// By BGP nobody is elected, whatever else was asked for, and no setting of kube-vip's
// manifests stands in the way.
func TestByBGP(t *testing.T) {
	env := environment{
		"address": "192.0.2.1", "cp_enable": "true", "vip_interface": "lo", "vip_leaderelection": "true",
		"bgp_enable": "true", "bgp_as": "65000", "bgp_routerid": "192.0.2.11", "bgp_hold_time": "15", "bgp_peeras": "65000",
		"bgp_peers": "192.0.2.254:65001::false,192.0.2.253:65001:secret:true", "lb_enable": "true", "lb_port": "6443",
	}
	o, notes, err := options(t, env)
	if err != nil {
		t.Fatal(err)
	}
	want := []manifest.Variable{
		{Name: "bgp_enable", Value: "true"},
		{Name: "bgp_routerid", Value: "192.0.2.11"},
		{Name: "bgp_hold_time", Value: "15"},
		{Name: "bgp_peers", Value: env["bgp_peers"]},
	}
	if diff := cmp.Diff(want, o.BGP); diff != "" || o.VIP.Elector != manifest.ElectorBGP || o.VIP.Balance {
		t.Errorf("elector %q, balanced %t, environment (-want +got):\n%s", o.VIP.Elector, o.VIP.Balance, diff)
	}
	wantNotes := []string{
		"environment vip_leaderelection: by BGP, every node whose API server is ready has the VIP",
		"environment lb_enable: by BGP, routers share the connections out",
	}
	if diff := cmp.Diff(wantNotes, notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
	for text, want := range map[string]string{"raft": "raft", "bgp": "bgp"} {
		if o, _, err := options(t, env, "--elector="+text); err != nil || o.VIP.Elector != want {
			t.Errorf("--elector %s: %q, %v", text, o.VIP.Elector, err)
		}
	}
	// Nobody would listen at another port.
	if o, _, err := options(t, env, "--lbPort=8443"); err != nil || !o.VIP.Balance {
		t.Errorf("another port at the VIP is passed over: %v", err)
	}
	_, notes, err = options(t, environment{"address": "192.0.2.1", "cp_enable": "true", "bgp_as": "65001"})
	if want := "environment bgp_as: goes with --bgp"; err != nil || !slices.Contains(notes, want) {
		t.Errorf("notes %q, %v, want %q", notes, err, want)
	}
}
