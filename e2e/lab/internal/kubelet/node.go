package kubelet

import (
	"context"
	"encoding/json"
	"net/netip"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
	"k8s.io/component-helpers/apimachinery/lease"
	"k8s.io/utils/clock"
)

// The node's heartbeat, against a grace period of 10 s in the lab's
// kube-controller-manager.
const (
	leaseSeconds  = 10
	renewInterval = 2 * time.Second
)

// register creates the Node, or says anew that it is ready.
func (k *Kubelet) register(ctx context.Context) error {
	server, err := k.client.Discovery().ServerVersion()
	if err != nil {
		return err
	}
	k.version = server.GitVersion
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name: k.config.NodeName,
			Labels: map[string]string{
				corev1.LabelHostname:   k.config.NodeName,
				corev1.LabelOSStable:   "linux",
				corev1.LabelArchStable: runtime.GOARCH,
			},
		},
		Status: k.nodeStatus(),
	}
	_, err = k.client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return k.sayReady(ctx)
	}
	return err
}

func (k *Kubelet) nodeStatus() corev1.NodeStatus {
	status := corev1.NodeStatus{
		Capacity: corev1.ResourceList{
			corev1.ResourceCPU:    resource.MustParse("16"),
			corev1.ResourceMemory: resource.MustParse("32Gi"),
			corev1.ResourcePods:   resource.MustParse("250"),
		},
		NodeInfo: corev1.NodeSystemInfo{
			KubeletVersion:          k.version,
			KernelVersion:           kernelVersion(),
			OSImage:                 "Herald's lab",
			OperatingSystem:         "linux",
			Architecture:            runtime.GOARCH,
			ContainerRuntimeVersion: "lab://1",
		},
		DaemonEndpoints: corev1.NodeDaemonEndpoints{KubeletEndpoint: corev1.DaemonEndpoint{Port: port}},
		Addresses:       []corev1.NodeAddress{{Type: corev1.NodeHostName, Address: k.config.NodeName}},
		Conditions:      []corev1.NodeCondition{readyCondition()},
	}
	status.Allocatable = status.Capacity
	for _, address := range k.config.Addresses {
		status.Addresses = append(status.Addresses, corev1.NodeAddress{Type: corev1.NodeInternalIP, Address: address.String()})
	}
	return status
}

func kernelVersion() string {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return ""
	}
	return unix.ByteSliceToString(name.Release[:])
}

// sayReady writes the Node's Ready condition anew; the rest of the status does
// not change.
func (k *Kubelet) sayReady(ctx context.Context) error {
	patch, err := json.Marshal(map[string]any{"status": map[string]any{"conditions": []corev1.NodeCondition{readyCondition()}}})
	if err != nil {
		return err
	}
	_, err = k.client.CoreV1().Nodes().Patch(ctx, k.config.NodeName, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
	return err
}

func readyCondition() corev1.NodeCondition {
	return corev1.NodeCondition{
		Type:               corev1.NodeReady,
		Status:             corev1.ConditionTrue,
		Reason:             "KubeletReady",
		Message:            "the lab's kubelet runs",
		LastHeartbeatTime:  metav1.Now(),
		LastTransitionTime: metav1.Now(),
	}
}

// renewLease shows the node-lifecycle controller that the node lives.
func (k *Kubelet) renewLease(ctx context.Context) error {
	lease.NewController(clock.RealClock{}, k.client, k.config.NodeName, leaseSeconds, nil, renewInterval,
		k.config.NodeName, corev1.NamespaceNodeLease, nil).Run(ctx)
	return ctx.Err()
}

// keepReady contradicts the node-lifecycle controller when it has given up a
// node that was only silent for a while.
func (k *Kubelet) keepReady(ctx context.Context) error {
	return k.watchNode(ctx, func(node *corev1.Node) (bool, error) {
		for _, condition := range node.Status.Conditions {
			if condition.Type == corev1.NodeReady && condition.Status != corev1.ConditionTrue {
				if err := k.sayReady(ctx); err != nil {
					k.log.Warn("node status", "error", err) // the next version of the Node is the next try
				}
			}
		}
		return false, nil
	})
}

// awaitPodCIDRs returns the ranges that the node IPAM controller gives to the
// node.
func (k *Kubelet) awaitPodCIDRs(ctx context.Context) ([]netip.Prefix, error) {
	var cidrs []netip.Prefix
	err := k.watchNode(ctx, func(node *corev1.Node) (bool, error) {
		for _, text := range node.Spec.PodCIDRs {
			cidr, err := netip.ParsePrefix(text)
			if err != nil {
				return false, err
			}
			cidrs = append(cidrs, cidr)
		}
		return len(cidrs) > 0, nil
	})
	return cidrs, err
}

// watchNode calls see with each version of the kubelet's own Node until it
// says that it has seen enough.
func (k *Kubelet) watchNode(ctx context.Context, see func(*corev1.Node) (bool, error)) error {
	own := fields.OneTermEqualSelector(metav1.ObjectNameField, k.config.NodeName)
	list := cache.NewListWatchFromClient(k.client.CoreV1().RESTClient(), "nodes", metav1.NamespaceAll, own)
	_, err := watchtools.UntilWithSync(ctx, list, &corev1.Node{}, nil, func(event watch.Event) (bool, error) {
		node, ok := event.Object.(*corev1.Node)
		if !ok || event.Type == watch.Deleted {
			return false, nil
		}
		return see(node)
	})
	return err
}
