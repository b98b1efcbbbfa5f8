// Package docker runs docker's client for the tests that have their machines in
// containers.
package docker

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// Run runs the client, and returns what it prints; an error has the end of that, and of
// what it complained of, in it.
func Run(ctx context.Context, stdin io.Reader, args ...string) (string, error) {
	var out, log bytes.Buffer
	cmd := exec.CommandContext(ctx, "docker", args...)
	// ^C reaches what docker runs by the context alone, so that it is in order.
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &out, &log
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("docker %s: %w\n%s%s", strings.Join(args, " "), err, Tail(out.String()), Tail(log.String()))
	}
	return out.String(), nil
}

// Import makes an image of a file system, a tar archive, and of what a Dockerfile would say
// besides.
func Import(ctx context.Context, image string, layer io.Reader, changes ...string) error {
	args := []string{"import"}
	for _, change := range changes {
		args = append(args, "--change", change)
	}
	_, err := Run(ctx, layer, append(args, "-", image)...)
	return err
}

// Tail returns the last lines of a text.
func Tail(text string) string {
	const most = 60
	lines := strings.SplitAfter(text, "\n")
	return strings.Join(lines[max(0, len(lines)-most):], "")
}

// Remove takes away the containers and the networks that have a label, whoever left them.
func Remove(ctx context.Context, label string) error {
	all, err := Run(ctx, nil, "ps", "--all", "--quiet", "--filter", "label="+label)
	if err != nil {
		return err
	}
	if ids := strings.Fields(all); len(ids) > 0 {
		if _, err := Run(ctx, nil, append([]string{"rm", "--force", "--volumes"}, ids...)...); err != nil {
			return err
		}
	}
	all, err = Run(ctx, nil, "network", "ls", "--quiet", "--filter", "label="+label)
	if ids := strings.Fields(all); err == nil && len(ids) > 0 {
		_, err = Run(ctx, nil, append([]string{"network", "rm"}, ids...)...)
	}
	return err
}
