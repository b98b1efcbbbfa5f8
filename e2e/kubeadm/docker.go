package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/heraldlb/herald/e2e/docker"
)

// on runs a command line in a container's shell. It is shown as one would type it.
func (d *datacentre) on(ctx context.Context, name, line string) (string, error) {
	fmt.Fprintf(d.out, "%s# %s\n", name, line)
	return d.quietly(ctx, name, line)
}

func (d *datacentre) quietly(ctx context.Context, name, line string) (string, error) {
	return docker.Run(ctx, nil, "exec", prefix+name, "bash", "-o", "pipefail", "-ec", line)
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
	_, err := docker.Run(ctx, strings.NewReader(content), "exec", "-i", prefix+name, "sh", "-ec", `mkdir -p "$(dirname "$1")"; cat >"$1"`, "sh", file)
	return err
}

// copy puts a file of this host on a node.
func (d *datacentre) copy(ctx context.Context, name, file, at string) error {
	fmt.Fprintf(d.out, "$ docker cp %s %s:%s\n", file, prefix+name, at)
	_, err := docker.Run(ctx, nil, "cp", file, prefix+name+":"+at)
	return err
}
