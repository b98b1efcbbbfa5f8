package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// docker runs the client, and returns what it prints; an error has that in it, too.
func docker(ctx context.Context, stdin io.Reader, args ...string) (string, error) {
	var out, log bytes.Buffer
	cmd := exec.CommandContext(ctx, "docker", args...)
	// ^C reaches what docker runs by the context alone, so that it is in order.
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &out, &log
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("docker %s: %w\n%s%s", strings.Join(args, " "), err, tail(out.String()), tail(log.String()))
	}
	return out.String(), nil
}

// tail returns the last lines of a text.
func tail(text string) string {
	const most = 60
	lines := strings.SplitAfter(text, "\n")
	return strings.Join(lines[max(0, len(lines)-most):], "")
}

// on runs a command line in a container's shell. It is shown as one would type it.
func (d *datacentre) on(ctx context.Context, name, line string) (string, error) {
	fmt.Fprintf(d.out, "%s# %s\n", name, line)
	return d.quietly(ctx, name, line)
}

func (d *datacentre) quietly(ctx context.Context, name, line string) (string, error) {
	return docker(ctx, nil, "exec", prefix+name, "bash", "-o", "pipefail", "-ec", line)
}

// shows runs a command line on the client, and shows what came of it.
func (d *datacentre) shows(ctx context.Context, line string) (string, error) {
	out, err := d.on(ctx, client, line)
	fmt.Fprint(d.out, out)
	return out, err
}

// write makes a file.
func (d *datacentre) write(ctx context.Context, name, file, content string) error {
	fmt.Fprintf(d.out, "%s# # writes %s\n", name, file)
	_, err := docker(ctx, strings.NewReader(content), "exec", "-i", prefix+name, "sh", "-ec", `mkdir -p "$(dirname "$1")"; cat >"$1"`, "sh", file)
	return err
}

// copy puts a file of this host on a node.
func (d *datacentre) copy(ctx context.Context, name, file, at string) error {
	fmt.Fprintf(d.out, "$ docker cp %s %s:%s\n", file, prefix+name, at)
	_, err := docker(ctx, nil, "cp", file, prefix+name+":"+at)
	return err
}
