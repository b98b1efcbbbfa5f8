package kind

import (
	"context"

	"github.com/heraldlb/herald/e2e/docker"
)

// Off takes a node's power.
func (c *Cluster) Off(ctx context.Context, node string) error {
	// The link goes first: a node that is dead has no last word.
	if err := c.LinkDown(ctx, node); err != nil {
		return err
	}
	return c.Kill(ctx, node)
}

// Kill ends all that runs on a node, which is told by its kernel.
func (c *Cluster) Kill(ctx context.Context, node string) error {
	defer c.forget(node)
	_, err := docker.Run(ctx, nil, "kill", node)
	return err
}

// On starts a node that has ended.
func (c *Cluster) On(ctx context.Context, node string) error {
	if _, err := docker.Run(ctx, nil, "start", node); err != nil {
		return err
	}
	c.forget(node)
	return c.connect(ctx, node)
}

// ShutDown tells a node to end. Its first process does, and what runs in its Pods is killed
// with it: nothing there is told.
func (c *Cluster) ShutDown(ctx context.Context, node string) error {
	defer c.forget(node)
	_, err := docker.Run(ctx, nil, "stop", "--time", "60", node)
	return err
}

// Pause freezes all that runs on a node, Resume lets it go on.
func (c *Cluster) Pause(ctx context.Context, node string) error {
	_, err := docker.Run(ctx, nil, "pause", node)
	return err
}

// Resume lets a node go on.
func (c *Cluster) Resume(ctx context.Context, node string) error {
	_, err := docker.Run(ctx, nil, "unpause", node)
	return err
}

// Systemctl starts or stops a unit of a node.
func (c *Cluster) Systemctl(ctx context.Context, node, verb, unit string) error {
	_, err := docker.Run(ctx, nil, "exec", node, "systemctl", verb, unit)
	return err
}
