package main

import (
	"bufio"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/heraldlb/herald/e2e/docker"
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
	w.died = holder
	fmt.Fprintf(w.out, "$ docker kill %s\n", prefix+holder)
	if _, err := docker.Run(ctx, nil, "kill", prefix+holder); err != nil {
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
		getNodes,
	} {
		if _, err := w.shows(ctx, line); err != nil {
			return err
		}
	}
	return w.answers(ctx)
}

// back gives the dead node its power back. It takes nothing away from its heir.
func (w *walk) back(ctx context.Context) error {
	fmt.Fprintf(w.out, "$ docker start %s\n", prefix+w.died)
	if _, err := docker.Run(ctx, nil, "start", prefix+w.died); err != nil {
		return err
	}
	if _, err := w.shows(ctx, "kubectl wait node "+w.died+" --for condition=Ready --timeout 3m"); err != nil {
		return err
	}
	// What the API says of its Pods is at first what it said before.
	err := eventually(ctx, 3*time.Minute, func(ctx context.Context) error {
		_, err := w.quietly(ctx, w.died, `id=$(crictl ps --quiet --name '^announcer$') && crictl exec $id /herald-announcer --controlplane --probe`+
			" && kubectl --kubeconfig "+adminConf+" --server https://"+w.node(w.died).String()+":6443 get --raw /readyz")
		return err
	})
	if err != nil {
		return fmt.Errorf("%s does not come back: %w", w.died, err)
	}
	holder, err := w.holder(ctx)
	if err == nil && holder == w.died {
		err = fmt.Errorf("%s is back, and took the address back", w.died)
	}
	return err
}

// takeAway takes the node away that has the VIP, in order.
func (w *walk) takeAway(ctx context.Context) error {
	leaver, err := w.holder(ctx)
	if err != nil {
		return err
	}
	drain, stop, sweep, reset := w.leave(leaver)
	if _, err := w.shows(ctx, drain); err != nil {
		return err
	}
	watched, err := w.watch(ctx)
	if err != nil {
		return err
	}
	if _, err := w.on(ctx, leaver, stop); err != nil {
		return err
	}
	err = eventually(ctx, time.Minute, func(ctx context.Context) error {
		out, err := w.quietly(ctx, leaver, "crictl pods --quiet --name herald- --state ready")
		if err == nil && out != "" {
			err = fmt.Errorf("on %s the Pod still runs", leaver)
		}
		return err
	})
	if err != nil {
		return err
	}
	figures, err := watched()
	fmt.Fprint(w.out, figures)
	if err != nil {
		return err
	}
	out, err := w.on(ctx, leaver, sweep)
	fmt.Fprint(w.out, out)
	if err != nil {
		return err
	}
	if _, err := w.on(ctx, leaver, reset+" --force"); err != nil {
		return err
	}
	heir, err := w.holder(ctx)
	if err != nil {
		return err
	}
	if heir == leaver {
		return fmt.Errorf("%s has left, and has the address", leaver)
	}
	for _, line := range []string{"kubectl delete node " + leaver, getNodes} {
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
