package kubelet

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	podutil "k8s.io/kubernetes/pkg/api/v1/pod"
)

// addresses are those of a Pod and of its node; none before its sandbox is made.
type addresses struct{ pod, host []netip.Addr }

// podStatus returns the status of a Pod from the state of its containers, as
// the Pod lifecycle of Kubernetes' documentation has it.
func podStatus(pod *corev1.Pod, started metav1.Time, addresses addresses, containers []corev1.ContainerStatus) corev1.PodStatus {
	status := *pod.Status.DeepCopy()
	status.StartTime = &started
	status.ContainerStatuses = containers
	status.Phase = phase(pod, containers)
	status.PodIPs, status.HostIPs = nil, nil
	for _, address := range addresses.pod {
		status.PodIPs = append(status.PodIPs, corev1.PodIP{IP: address.String()})
	}
	for _, address := range addresses.host {
		status.HostIPs = append(status.HostIPs, corev1.HostIP{IP: address.String()})
	}
	if len(status.PodIPs) > 0 {
		status.PodIP, status.HostIP = status.PodIPs[0].IP, status.HostIPs[0].IP
	}

	containersReady := true
	for _, container := range containers {
		containersReady = containersReady && container.Ready
	}
	ready := containersReady && gatesOpen(pod)
	setCondition(&status, corev1.PodReadyToStartContainers, len(status.PodIPs) > 0)
	setCondition(&status, corev1.PodInitialized, true)
	setCondition(&status, corev1.ContainersReady, containersReady)
	setCondition(&status, corev1.PodReady, ready)
	return status
}

func phase(pod *corev1.Pod, containers []corev1.ContainerStatus) corev1.PodPhase {
	ended, failed, waiting := 0, 0, 0
	for i, container := range containers {
		switch {
		case container.State.Terminated != nil && isFinal(pod, i, container.State.Terminated):
			ended++
			if container.State.Terminated.ExitCode != 0 {
				failed++
			}
		case container.State.Waiting != nil && container.LastTerminationState.Terminated == nil:
			waiting++
		}
	}
	switch {
	case waiting > 0:
		return corev1.PodPending
	case ended < len(containers):
		return corev1.PodRunning
	case failed > 0:
		return corev1.PodFailed
	default:
		return corev1.PodSucceeded
	}
}

// isFinal tells whether an ended container stays ended.
func isFinal(pod *corev1.Pod, i int, state *corev1.ContainerStateTerminated) bool {
	return pod.DeletionTimestamp != nil || !podutil.ContainerShouldRestart(pod.Spec.Containers[i], pod.Spec, state.ExitCode)
}

// gatesOpen tells whether every readiness gate's condition holds (KEP-580): a
// test makes a running Pod ready or not by it.
func gatesOpen(pod *corev1.Pod) bool {
	for _, gate := range pod.Spec.ReadinessGates {
		_, condition := podutil.GetPodCondition(&pod.Status, gate.ConditionType)
		if condition == nil || condition.Status != corev1.ConditionTrue {
			return false
		}
	}
	return true
}

func setCondition(status *corev1.PodStatus, kind corev1.PodConditionType, holds bool) {
	condition := &corev1.PodCondition{Type: kind, Status: corev1.ConditionFalse}
	if holds {
		condition.Status = corev1.ConditionTrue
	}
	podutil.UpdatePodCondition(status, condition)
}

// patchStatus writes what differs from the Pod's present status, if anything,
// and returns the Pod as it then is. A Pod that is gone is no error.
func (k *Kubelet) patchStatus(ctx context.Context, pod *corev1.Pod, status corev1.PodStatus) (*corev1.Pod, error) {
	before, err := json.Marshal(corev1.Pod{Status: pod.Status})
	if err != nil {
		return nil, err
	}
	after, err := json.Marshal(corev1.Pod{Status: status})
	if err != nil {
		return nil, err
	}
	patch, err := strategicpatch.CreateTwoWayMergePatch(before, after, corev1.Pod{})
	if err != nil {
		return nil, err
	}
	if string(patch) == "{}" {
		return pod, nil
	}
	// The uid is a precondition: a namesake that came later is another Pod.
	patch = fmt.Appendf(nil, `{"metadata":{"uid":%q},%s`, pod.UID, patch[1:])
	updated, err := k.client.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return pod, nil
	}
	return updated, err
}

// release deletes a Pod whose containers have ended from the API.
func (k *Kubelet) release(ctx context.Context, pod *corev1.Pod) error {
	err := k.client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{
		GracePeriodSeconds: new(int64(0)),
		Preconditions:      metav1.NewUIDPreconditions(string(pod.UID)),
	})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return err
}
