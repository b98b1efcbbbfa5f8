package kind

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/heraldlb/herald/e2e/docker"
)

// Echo is the image of the cases' Pods.
const Echo = "localhost/herald-echo:e2e"

// Namespace is Herald's.
const Namespace = "herald-system"

// Where the manifests are on the control plane.
const manifests = "/herald"

func (c *Cluster) loadImages(ctx context.Context) error {
	if err := c.kind(ctx, nil, "load", "image-archive", c.Archive, "--name", Name); err != nil {
		return err
	}
	layer, err := one(c.Pod, "pod")
	if err != nil {
		return err
	}
	if _, err := docker.Run(ctx, bytes.NewReader(layer), "import", "--change", `ENTRYPOINT ["/pod"]`, "-", Echo); err != nil {
		return err
	}
	return c.kind(ctx, nil, "load", "docker-image", Echo, "--name", Name)
}

// one returns a file system of one program.
func one(file, as string) ([]byte, error) {
	program, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	if err := w.WriteHeader(&tar.Header{Name: as, Mode: 0o755, Size: int64(len(program))}); err != nil {
		return nil, err
	}
	if _, err := w.Write(program); err != nil {
		return nil, err
	}
	return layer.Bytes(), w.Close()
}

// deploy installs Herald, and gives it the segment's pool.
func (c *Cluster) deploy(ctx context.Context) error {
	if _, err := docker.Run(ctx, nil, "exec", ControlPlane, "mkdir", "-p", manifests); err != nil {
		return err
	}
	if _, err := docker.Run(ctx, nil, "cp", filepath.Join(c.Root, "deploy"), ControlPlane+":"+manifests); err != nil {
		return err
	}
	// kubeadm excludes control planes from load balancers. Three nodes that take addresses are
	// what the cases want.
	if _, err := c.Kubectl(ctx, "label", "node", ControlPlane, "node.kubernetes.io/exclude-from-external-load-balancers-"); err != nil {
		return err
	}
	return c.Install(ctx, "deploy", c.Image)
}

// Install applies a folder of manifests with an image, gives Herald its pools, and waits
// until it is there.
func (c *Cluster) Install(ctx context.Context, folder, image string) error {
	at, err := c.overlay(ctx, folder, image)
	if err != nil {
		return err
	}
	if _, err := c.Kubectl(ctx, "apply", "--kustomize", at); err != nil {
		return err
	}
	global, _ := c.Segment.Ranges()
	// Not by apply: cases change the pools, too.
	pools, err := c.Kubectl(ctx, "create", "configmap", "herald", "--namespace", Namespace,
		"--from-literal", fmt.Sprintf("range-global=%s,%s", global[0], global[1]))
	if err != nil && !strings.Contains(err.Error(), "already exists") {
		return fmt.Errorf("pools: %w: %s", err, pools)
	}
	return c.AwaitRollout(ctx)
}

// Uninstall deletes what Install applied.
func (c *Cluster) Uninstall(ctx context.Context, folder, image string) error {
	at, err := c.overlay(ctx, folder, image)
	if err != nil {
		return err
	}
	_, err = c.Kubectl(ctx, "delete", "--kustomize", at, "--timeout=60s")
	return err
}

// AwaitRollout waits until Herald's Pods are those of its manifests, and ready.
func (c *Cluster) AwaitRollout(ctx context.Context) error {
	for _, what := range []string{"daemonset/herald", "deployment/herald-controller"} {
		if _, err := c.Kubectl(ctx, "rollout", "status", "--namespace", Namespace, what, "--timeout=120s"); err != nil {
			return err
		}
	}
	return nil
}

// overlay writes a kustomization of manifests that names the image, beside them.
func (c *Cluster) overlay(ctx context.Context, folder, image string) (string, error) {
	name, tag := image[:strings.LastIndex(image, ":")], image[strings.LastIndex(image, ":")+1:]
	text := fmt.Sprintf("resources: [../%s/base]\nimages: [{name: ghcr.io/heraldlb/herald, newName: %q, newTag: %q}]\n", folder, name, tag)
	at := manifests + "/e2e-" + folder
	_, err := docker.Run(ctx, strings.NewReader(text), "exec", "--interactive", ControlPlane,
		"sh", "-ec", `mkdir -p "$1"; cat >"$1/kustomization.yaml"`, "sh", at)
	return at, err
}
