package main

import (
	"bufio"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// most is how long the address may be away: far more than it should be, for a machine
// that is busy.
const most = 60 * time.Second

// kill takes the power from the node that holds the VIP, and goes on.
func (w *walk) kill(ctx context.Context) error {
	holder, err := w.holder(ctx)
	if err != nil {
		return err
	}
	watched, err := w.watch(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(w.out, "$ docker kill %s\n", prefix+holder)
	if _, err := docker(ctx, nil, "kill", prefix+holder); err != nil {
		return err
	}
	if err := eventually(ctx, most, func(ctx context.Context) error {
		_, err := w.quietly(ctx, client, "kubectl --request-timeout 2s get --raw /readyz")
		return err
	}); err != nil {
		return fmt.Errorf("the API does not come back: %w", err)
	}
	figures, err := watched()
	fmt.Fprint(w.out, figures)
	if err != nil {
		return err
	}
	if _, err := w.shows(ctx, "kubectl get --raw /readyz; echo"); err != nil {
		return err
	}
	heir, err := w.holder(ctx)
	if err != nil {
		return err
	}
	if heir == holder {
		return fmt.Errorf("%s is dead, and has the address", holder)
	}
	for _, line := range []string{
		"kubectl -n default create configmap after --from-literal killed=" + holder, // etcd has a quorum
		"kubectl wait node " + holder + " --for condition=Ready=Unknown --timeout 2m",
		"kubectl get node -o wide",
	} {
		if _, err := w.shows(ctx, line); err != nil {
			return err
		}
	}
	return w.answers(ctx)
}

// watch has the client ask the VIP, until the function that it returns is called, which
// waits until it answers again, and returns the figures.
func (w *walk) watch(ctx context.Context) (func() (string, error), error) {
	line := fmt.Sprintf("e2e-kubeadm probe -vip %s -for 25s", w.vip)
	fmt.Fprintf(w.out, "%s# %s &\n", client, line)
	cmd := exec.CommandContext(ctx, "docker", append([]string{"exec", prefix + client}, strings.Fields(line)...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != begun {
		return nil, fmt.Errorf("probe: %q: %w", lines.Text(), cmd.Wait())
	}
	return func() (string, error) {
		var all strings.Builder
		for lines.Scan() {
			fmt.Fprintln(&all, lines.Text())
		}
		return all.String(), cmd.Wait()
	}, nil
}
