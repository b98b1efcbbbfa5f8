package kubelet

import (
	"net/netip"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	podutil "k8s.io/kubernetes/pkg/api/v1/pod"
)

func running(ready bool) corev1.ContainerStatus {
	return corev1.ContainerStatus{Ready: ready, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}
}

func waiting() corev1.ContainerStatus {
	return corev1.ContainerStatus{State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}}}
}

func ended(code int32) corev1.ContainerStatus {
	return corev1.ContainerStatus{State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code}}}
}

// crashed waits for its restart.
func crashed() corev1.ContainerStatus {
	status := waiting()
	status.LastTerminationState = ended(1).State
	return status
}

func TestPodStatus(t *testing.T) {
	now := metav1.Now()
	gate := corev1.PodReadinessGate{ConditionType: "test/ready"}
	for name, test := range map[string]struct {
		pod        corev1.Pod
		containers []corev1.ContainerStatus
		phase      corev1.PodPhase
		ready      bool
	}{
		"creating":            {containers: []corev1.ContainerStatus{running(true), waiting()}, phase: corev1.PodPending},
		"running":             {containers: []corev1.ContainerStatus{running(true), running(true)}, phase: corev1.PodRunning, ready: true},
		"one is not ready":    {containers: []corev1.ContainerStatus{running(true), running(false)}, phase: corev1.PodRunning},
		"one crashed":         {containers: []corev1.ContainerStatus{running(true), crashed()}, phase: corev1.PodRunning},
		"one ended, restarts": {containers: []corev1.ContainerStatus{running(true), ended(1)}, phase: corev1.PodRunning},
		"deleted, serving": {
			pod:        corev1.Pod{ObjectMeta: metav1.ObjectMeta{DeletionTimestamp: &now}},
			containers: []corev1.ContainerStatus{running(true)}, phase: corev1.PodRunning, ready: true,
		},
		"deleted, ended well": {
			pod:        corev1.Pod{ObjectMeta: metav1.ObjectMeta{DeletionTimestamp: &now}},
			containers: []corev1.ContainerStatus{ended(0), ended(0)}, phase: corev1.PodSucceeded,
		},
		"deleted, killed": {
			pod:        corev1.Pod{ObjectMeta: metav1.ObjectMeta{DeletionTimestamp: &now}},
			containers: []corev1.ContainerStatus{ended(0), ended(137)}, phase: corev1.PodFailed,
		},
		"never restarted": {
			pod:        corev1.Pod{Spec: corev1.PodSpec{RestartPolicy: corev1.RestartPolicyNever}},
			containers: []corev1.ContainerStatus{ended(0), ended(3)}, phase: corev1.PodFailed,
		},
		"gate shut": {
			pod:        corev1.Pod{Spec: corev1.PodSpec{ReadinessGates: []corev1.PodReadinessGate{gate}}},
			containers: []corev1.ContainerStatus{running(true)}, phase: corev1.PodRunning,
		},
		"gate open": {
			pod: corev1.Pod{
				Spec:   corev1.PodSpec{ReadinessGates: []corev1.PodReadinessGate{gate}},
				Status: corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: "test/ready", Status: corev1.ConditionTrue}}},
			},
			containers: []corev1.ContainerStatus{running(true)}, phase: corev1.PodRunning, ready: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			test.pod.Spec.Containers = make([]corev1.Container, len(test.containers))
			got := podStatus(&test.pod, now, addresses{}, test.containers)
			if got.Phase != test.phase {
				t.Errorf("phase %s, want %s", got.Phase, test.phase)
			}
			if ready := podutil.IsPodReadyConditionTrue(got); ready != test.ready {
				t.Errorf("ready %t, want %t", ready, test.ready)
			}
		})
	}
}

func TestPodStatusAddresses(t *testing.T) {
	both := addresses{
		pod:  []netip.Addr{netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("fd00::2")},
		host: []netip.Addr{netip.MustParseAddr("192.168.0.1"), netip.MustParseAddr("fd01::1")},
	}
	status := podStatus(&corev1.Pod{}, metav1.Now(), both, nil)
	if status.PodIP != "10.0.0.2" || len(status.PodIPs) != 2 || status.PodIPs[1].IP != "fd00::2" || status.HostIP != "192.168.0.1" || len(status.HostIPs) != 2 {
		t.Errorf("%+v", status)
	}
}
