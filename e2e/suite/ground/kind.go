package ground

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"go4.org/netipx"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/heraldlb/herald/e2e/kind"
)

// Kind returns a cluster of kind's as the ground, and what takes it down, told
// whether a case failed. With reuse it is the one that is up, else a new one, and
// stays.
func Kind(ctx context.Context, o kind.Options, reuse bool) (Ground, func(context.Context, bool) error, error) {
	cluster, err := kindCluster(ctx, o, reuse)
	if err != nil {
		return Ground{}, nil, err
	}
	down := func(ctx context.Context, failed bool) error {
		if reuse {
			return cluster.StopRecording()
		}
		evidence := cluster.Discard
		if failed {
			evidence = func() error { return cluster.Collect(ctx) }
		}
		return errors.Join(evidence(), cluster.Down(ctx))
	}
	site, err := onKind(cluster)
	if err != nil {
		return Ground{}, nil, errors.Join(err, down(context.WithoutCancel(ctx), true))
	}
	return site, down, nil
}

func kindCluster(ctx context.Context, o kind.Options, reuse bool) (*kind.Cluster, error) {
	if reuse {
		cluster, err := kind.Open(ctx, o)
		if !errors.Is(err, kind.ErrDown) {
			return cluster, err
		}
	}
	return kind.Up(ctx, o)
}

func onKind(cluster *kind.Cluster) (Ground, error) {
	api, err := kubernetes.NewForConfig(cluster.Config)
	if err != nil {
		return Ground{}, err
	}
	global, spare := cluster.Segment.Ranges()
	return Ground{
		Config:     cluster.Config,
		Nodes:      kind.Nodes(),
		Client:     kind.Client,
		Router:     kind.Router,
		Uplink:     kind.Uplink,
		Remote:     kind.Remote,
		Interface:  kind.Interface,
		Global:     ranges(global),
		Spare:      ranges(spare),
		Beyond:     beyond(),
		Echo:       kind.Echo,
		Hosts:      cluster,
		Roles:      kindRoles{api},
		Segment:    cluster,
		Power:      cluster,
		Components: kindComponents{cluster},
		Kind:       cluster,
		Herald: func(ctx context.Context, args ...string) (*exec.Cmd, error) {
			cmd := exec.CommandContext(ctx, filepath.Join(cluster.Root, "bin", "herald"), args...)
			cmd.Env = append(os.Environ(), "KUBECONFIG="+cluster.Kubeconfig)
			return cmd, nil
		},
	}, nil
}

func ranges(of [2]netipx.IPRange) Ranges {
	return Ranges{V4: Range{of[0].From(), of[0].To()}, V6: Range{of[1].From(), of[1].To()}}
}

type kindRoles struct{ api kubernetes.Interface }

// Processes are those of the containers that run as far as their kubelets know, and that
// are there.
func (r kindRoles) Processes(ctx context.Context) ([]Process, error) {
	pods, err := r.api.CoreV1().Pods(herald).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	var processes []Process
	for _, pod := range pods.Items {
		for _, container := range pod.Status.ContainerStatuses {
			id, ok := strings.CutPrefix(container.ContainerID, "containerd://")
			if !ok || container.State.Running == nil {
				continue
			}
			pid, err := kind.First(id)
			if errors.Is(err, kind.ErrEnded) {
				continue
			}
			if err != nil {
				return nil, err
			}
			processes = append(processes, Process{Role: Role(container.Name), Host: pod.Spec.NodeName, PID: pid, Ready: container.Ready})
		}
	}
	return processes, nil
}

// Logs are by Pod, container, and how often that was started anew.
func (r kindRoles) Logs(ctx context.Context) (map[string][]byte, error) {
	pods, err := r.api.CoreV1().Pods(herald).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	logs := map[string][]byte{}
	for _, pod := range pods.Items {
		for _, container := range pod.Status.ContainerStatuses {
			name := fmt.Sprintf("%s/%s/%s/%d", pod.Spec.NodeName, pod.Name, container.Name, container.RestartCount)
			text, err := r.log(ctx, pod.Name, container.Name)
			if err != nil {
				continue // it is about to start, or its node is away
			}
			logs[name] = text
		}
	}
	return logs, nil
}

// log does not wait long: of a node that is away, the API server hears nothing for minutes.
func (r kindRoles) log(ctx context.Context, pod, container string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	return r.api.CoreV1().Pods(herald).GetLogs(pod, &corev1.PodLogOptions{Container: container}).DoRaw(ctx)
}

type kindComponents struct{ cluster *kind.Cluster }

func (c kindComponents) Signal(ctx context.Context, component Component, signal syscall.Signal) error {
	return c.cluster.Signal(ctx, component.Host, component.Name, signal)
}

func (kindComponents) Server() Component {
	return Component{Host: kind.ControlPlane, Name: "kube-apiserver"}
}
