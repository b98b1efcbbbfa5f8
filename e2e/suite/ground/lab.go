package ground

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os/exec"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/heraldlb/herald/e2e/lab"
)

// herald is the namespace of Herald's Pods.
const herald = "herald-system"

// Lab returns a lab of the checkout's present programs as the ground, and what
// takes it down. With reuse it is the one that is up, and stays; else one that
// is up has to make room. It tells progress what it does.
func Lab(ctx context.Context, parameters lab.Parameters, reuse bool, progress io.Writer) (Ground, func(context.Context) error, error) {
	if reuse {
		cluster, err := lab.Open(ctx)
		if err != nil {
			return Ground{}, nil, err
		}
		site, err := onLab(ctx, cluster)
		return site, func(context.Context) error { return nil }, err
	}
	if _, err := lab.Inspect(ctx); !errors.Is(err, lab.ErrDown) {
		fmt.Fprintln(progress, "a lab is up: taking it down for a new one")
		if err := lab.Down(ctx); err != nil {
			return Ground{}, nil, err
		}
	}
	cluster, err := lab.Up(ctx, parameters, func(line lab.Progress) {
		fmt.Fprintf(progress, "%5.1f s  %s\n", line.Elapsed.Seconds(), line.Text)
	})
	if err != nil {
		return Ground{}, nil, err
	}
	site, err := onLab(ctx, cluster)
	if err != nil {
		return Ground{}, nil, errors.Join(err, cluster.Down(context.WithoutCancel(ctx)))
	}
	return site, cluster.Down, nil
}

var errOneFamily = errors.New("the lab that is up speaks one IP family; both are needed")

func onLab(ctx context.Context, cluster *lab.Cluster) (Ground, error) {
	config, err := cluster.RESTConfig(ctx)
	if err != nil {
		return Ground{}, err
	}
	api, err := kubernetes.NewForConfig(config)
	if err != nil {
		return Ground{}, err
	}
	site := Ground{
		Config:    config,
		Client:    "client",
		Remote:    "remote",
		Router:    "router",
		Uplink:    "eth1",
		Interface: "eth0",
		Hosts:     labHosts{cluster},
		Roles:     labRoles{cluster, api},

		Echo:       "echo", // any that is not Herald's
		Segment:    labSegment{cluster},
		Power:      labPower{cluster},
		Components: labComponents{cluster},
		Beyond:     beyond(),
		// Between the nodes' numbers and the global pool.
		Spare: Ranges{
			V4: Range{netip.MustParseAddr("192.168.100.100"), netip.MustParseAddr("192.168.100.199")},
			V6: Range{netip.MustParseAddr("fd00:100::2:0"), netip.MustParseAddr("fd00:100::2:ffff")},
		},
	}
	if site.Herald, err = labHerald(cluster); err != nil {
		return Ground{}, err
	}
	for _, node := range cluster.Nodes() {
		site.Nodes = append(site.Nodes, node.Name)
	}
	for _, pool := range cluster.Pools() {
		if pool.From().Is4() {
			site.Global.V4 = Range{pool.From(), pool.To()}
		} else {
			site.Global.V6 = Range{pool.From(), pool.To()}
		}
	}
	if !site.Global.V4.From.IsValid() || !site.Global.V6.From.IsValid() {
		return Ground{}, errOneFamily
	}
	return site, nil
}

type labHosts struct{ cluster *lab.Cluster }

func (h labHosts) Command(ctx context.Context, host string, args ...string) *exec.Cmd {
	return h.cluster.Host(host).Command(ctx, args...)
}

type labRoles struct {
	cluster *lab.Cluster
	api     kubernetes.Interface
}

// Processes reads the ids from the containers' statuses, where the lab's
// kubelets write them.
func (r labRoles) Processes(ctx context.Context) ([]Process, error) {
	pods, err := r.api.CoreV1().Pods(herald).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	var processes []Process
	for _, pod := range pods.Items {
		for _, container := range pod.Status.ContainerStatuses {
			if container.State.Running == nil {
				continue
			}
			process, err := labProcess(pod.Spec.NodeName, container)
			if err != nil {
				return nil, fmt.Errorf("the Pod %s: %w", pod.Name, err)
			}
			processes = append(processes, process)
		}
	}
	return processes, nil
}

func labProcess(node string, container corev1.ContainerStatus) (Process, error) {
	process := Process{Role: Role(container.Name), Host: node, Ready: container.Ready}
	if _, err := fmt.Sscanf(container.ContainerID, "lab://%d", &process.PID); err != nil {
		return process, fmt.Errorf("container %s: id %q: %w", container.Name, container.ContainerID, err)
	}
	return process, nil
}

func (r labRoles) Logs(ctx context.Context) (map[string][]byte, error) {
	names, err := r.cluster.Logs(ctx)
	if err != nil {
		return nil, err
	}
	logs := map[string][]byte{}
	for _, name := range names {
		if !strings.Contains(name, "/herald-") {
			continue
		}
		if logs[name], err = r.cluster.Log(ctx, name); err != nil {
			return nil, err
		}
	}
	return logs, nil
}

// beyond are addresses of no segment, on any ground.
func beyond() Ranges {
	return Ranges{
		V4: Range{netip.MustParseAddr("10.77.0.0"), netip.MustParseAddr("10.77.255.255")},
		V6: Range{netip.MustParseAddr("fd00:77::"), netip.MustParseAddr("fd00:77::ffff")},
	}
}
