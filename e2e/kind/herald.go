package kind

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
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

// PreviousImage is made of the programs of what Herald is upgraded from.
const PreviousImage = "localhost/herald:previous"

func (c *Cluster) loadImages(ctx context.Context) error {
	if err := c.kind(ctx, nil, "load", "image-archive", c.Archive, "--name", Name); err != nil || c.Pod == "" {
		return err
	}
	return c.load(ctx, Echo, c.Pod)
}

// load makes an image of a few programs, the first of which is run, and brings it to the
// nodes.
func (c *Cluster) load(ctx context.Context, image string, programs ...string) error {
	layer, err := layerOf(programs)
	if err != nil {
		return err
	}
	if err := docker.Import(ctx, image, bytes.NewReader(layer), fmt.Sprintf("ENTRYPOINT [%q]", "/"+filepath.Base(programs[0]))); err != nil {
		return err
	}
	return c.Load(ctx, image)
}

// Load brings an image that docker has to the nodes.
func (c *Cluster) Load(ctx context.Context, image string) error {
	return c.kind(ctx, nil, "load", "docker-image", image, "--name", Name)
}

// layerOf returns a file system of programs.
func layerOf(programs []string) ([]byte, error) {
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	for _, file := range programs {
		program, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if err := w.WriteHeader(&tar.Header{Name: filepath.Base(file), Mode: 0o755, Size: int64(len(program))}); err != nil {
			return nil, err
		}
		if _, err := w.Write(program); err != nil {
			return nil, err
		}
	}
	return layer.Bytes(), w.Close()
}

// Rename gives an image that the nodes have another name there.
func (c *Cluster) Rename(ctx context.Context, image, to string) error {
	for _, node := range Nodes() {
		if _, err := docker.Run(ctx, nil, "exec", node, "ctr", "--namespace", "k8s.io", "images", "tag", "--force", image, to); err != nil {
			return err
		}
	}
	return nil
}

// Version is manifests and an image, and the name of their folder on the control plane.
type Version struct{ name, manifests, image string }

// Current is what the checkout has.
func (c *Cluster) Current() Version {
	return Version{"current", filepath.Join(c.Root, "deploy"), c.Image}
}

// LoadPrevious returns what Herald is upgraded from, when the nodes have the image.
func (c *Cluster) LoadPrevious(ctx context.Context) (Version, error) {
	previous := Version{"previous", filepath.Join(c.Previous, "deploy"), PreviousImage}
	bin := filepath.Join(c.Previous, "bin")
	return previous, c.load(ctx, PreviousImage, filepath.Join(bin, "herald"), filepath.Join(bin, "herald-announcer"))
}

// deploy installs Herald on a new cluster.
func (c *Cluster) deploy(ctx context.Context) error {
	// kubeadm excludes control planes from load balancers. Three nodes that take addresses are
	// what the cases want.
	if _, err := c.Kubectl(ctx, "label", "node", ControlPlane, "node.kubernetes.io/exclude-from-external-load-balancers-"); err != nil {
		return err
	}
	return c.Install(ctx, c.Current())
}

// Install applies a version, in the place of another or not, gives Herald its pools if it
// has none, and waits until it is there.
func (c *Cluster) Install(ctx context.Context, version Version) error {
	at, err := c.overlay(ctx, version)
	if err != nil {
		return err
	}
	if _, err := c.Kubectl(ctx, "apply", "--kustomize", at); err != nil {
		return err
	}
	global, _ := c.Segment.Ranges()
	// Not by apply: cases change the pools, too.
	_, err = c.Kubectl(ctx, "create", "configmap", "herald", "--namespace", Namespace,
		"--from-literal", fmt.Sprintf("range-global=%s,%s", global[0], global[1]))
	if err != nil && !strings.Contains(err.Error(), "already exists") {
		return fmt.Errorf("pools: %w", err)
	}
	return c.AwaitRollout(ctx)
}

// Uninstall deletes what Install applied, and waits until it is gone.
func (c *Cluster) Uninstall(ctx context.Context, version Version) error {
	at, err := c.overlay(ctx, version)
	if err != nil {
		return err
	}
	_, err = c.Kubectl(ctx, "delete", "--kustomize", at, "--timeout=2m")
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

const kustomization = `resources: [deploy/%s]
images: [{name: ghcr.io/heraldlb/herald, newName: %q, newTag: %q}]
patches:
- target: {kind: DaemonSet, name: herald}
  patch: |
    apiVersion: apps/v1
    kind: DaemonSet
    metadata: {name: herald}
    spec:
      template:
        spec:
          containers:
          - {name: announcer, readinessProbe: {periodSeconds: 2, failureThreshold: 15}}
          - {name: agent, readinessProbe: {periodSeconds: 1, failureThreshold: 15}}
- target: {kind: Deployment, name: herald-controller}
  patch: |
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: herald-controller}
    spec:
      template:
        spec:
          containers:
          - {name: controller, readinessProbe: {periodSeconds: 1, failureThreshold: 15}}
`

// overlay copies a version's manifests, and writes a kustomization beside them that names
// the image, and has kubelets ask often whether Herald's containers are ready, for which
// cases wait; that they are not is known as late as usual.
func (c *Cluster) overlay(ctx context.Context, version Version) (string, error) {
	folder := "overlays/kind"
	if _, err := os.Stat(filepath.Join(version.manifests, folder)); errors.Is(err, os.ErrNotExist) {
		folder = "base" // a version before there was one
	}
	at, colon := manifests+"/"+version.name, strings.LastIndex(version.image, ":")
	text := fmt.Sprintf(kustomization, folder, version.image[:colon], version.image[colon+1:])
	if _, err := docker.Run(ctx, strings.NewReader(text), "exec", "--interactive", ControlPlane,
		"sh", "-ec", `rm -rf "$1"; mkdir -p "$1"; cat >"$1/kustomization.yaml"`, "sh", at); err != nil {
		return "", err
	}
	_, err := docker.Run(ctx, nil, "cp", version.manifests, ControlPlane+":"+at+"/deploy")
	return at, err
}
