package router

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/heraldlb/herald/e2e/daemon"
)

// programs is where Debian's frr has the daemons.
const programs = "/usr/lib/frr/"

// FRR is FRRouting on a host: zebra, which writes the kernel's routes, bgpd and bfdd.
type FRR struct {
	*on
	daemons []*daemon.Daemon // in the order of their start
}

// NewFRR starts FRR on a host, with a configuration as frr.conf has it, and returns when
// that is in force. There is one at a time on a host, for it writes the kernel's routes.
func NewFRR(ctx context.Context, hosts daemon.Hosts, host, configuration string, neighbors []Neighbor) (*FRR, error) {
	if err := require("vtysh", "frr"); err != nil {
		return nil, err
	}
	o, err := place(ctx, hosts, host, neighbors)
	if err != nil {
		return nil, err
	}
	f := &FRR{on: o}
	if err := f.start(ctx, configuration); err != nil {
		return nil, errors.Join(err, f.Stop(ctx))
	}
	return f, nil
}

func (f *FRR) start(ctx context.Context, configuration string) error {
	files := map[string]string{"frr.conf": configuration, "vtysh.conf": "service integrated-vtysh-config\n", "empty": ""}
	for name, text := range files {
		if err := f.write(ctx, name, text); err != nil {
			return err
		}
	}
	for _, program := range []struct {
		name    string
		options []string
	}{
		{name: "zebra"},
		{name: "bgpd"},
		{name: "bfdd", options: []string{"--bfdctl", f.path("bfdd.sock")}},
	} {
		if err := f.run1(ctx, program.name, program.options...); err != nil {
			return err
		}
	}
	return f.apply(ctx, "--boot")
}

// run1 starts one of FRR's programs, and returns when it takes commands.
//
// As root, they want root in the group frrvty; they want to write below /var/tmp. So they
// have an /etc/group and a /var/tmp of their own.
func (f *FRR) run1(ctx context.Context, name string, options ...string) error {
	const script = `sed 's/^frrvty:.*/&,root/' /etc/group >"$0/group"
mount --bind "$0/group" /etc/group
mount -t tmpfs none /var/tmp
exec "$@"`
	args := append([]string{
		"unshare", "--mount", "sh", "-ec", script, f.directory, programs + name, "--user=root", "--group=root",
		"--vty_socket=" + f.directory, "--vty_port=0", "--pid_file=" + f.path(name+".pid"), "--socket=" + f.path("zserv.api"),
		"--config_file=" + f.path("empty"), "--log=stdout", "--log-level=informational",
	}, options...)
	started, err := daemon.Start(context.WithoutCancel(ctx), f.hosts, f.host, args...)
	if err != nil {
		return err
	}
	f.daemons = append(f.daemons, started)
	return started.Await(ctx, 0, name, "starting: vty@")
}

// Stop ends FRR; its routes go with it.
func (f *FRR) Stop(ctx context.Context) error {
	var failed error
	for _, running := range slices.Backward(f.daemons) {
		failed = errors.Join(failed, running.Stop(ctx))
	}
	return errors.Join(failed, f.remove(ctx))
}

// Configure changes the configuration by lines as one types them.
func (f *FRR) Configure(ctx context.Context, lines ...string) error {
	if err := f.write(ctx, "change.conf", strings.Join(lines, "\n")+"\n"); err != nil {
		return err
	}
	return f.apply(ctx, "--inputfile="+f.path("change.conf"))
}

// apply has vtysh read a configuration. It tells of what is refused on its output, and may
// exit with success all the same.
func (f *FRR) apply(ctx context.Context, how string) error {
	output, err := f.vtysh(ctx, how)
	if err == nil && (strings.Contains(string(output), "% ") || strings.Contains(string(output), "line ")) {
		return fmt.Errorf("FRR on %s refuses its configuration: %s", f.host, output)
	}
	return err
}

func (f *FRR) vtysh(ctx context.Context, args ...string) ([]byte, error) {
	return f.run(ctx, append([]string{"vtysh", "--vty_socket", f.directory, "--config_dir", f.directory}, args...)...)
}

// Said waits until bgpd has logged a line with all of these words.
func (f *FRR) Said(ctx context.Context, words ...string) error {
	return f.daemons[1].Await(ctx, 0, words...)
}
