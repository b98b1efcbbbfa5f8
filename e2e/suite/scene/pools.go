package scene

import (
	"context"
	"encoding/json"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Where the pools are.
const (
	System    = "herald-system"
	ConfigMap = "herald"
)

// OwnPool gives the case's namespace a pool of its own, which goes with the
// case, and waits until Herald uses it. The settings are keys of the pool
// ConfigMap without their scope, such as "range".
func (s *Scene) OwnPool(ctx context.Context, settings map[string]string) {
	GinkgoHelper()
	scoped := map[string]string{}
	for key, value := range settings {
		scoped[key+"-"+s.Namespace] = value
	}
	s.SetPools(ctx, scoped)
	Eventually(s.HasPool).WithContext(ctx).WithArguments(s.Namespace).Should(BeTrue(), "Herald uses the pool %s", s.Namespace)
}

// SetPools changes keys of the pool ConfigMap; afterwards they are as before.
func (st *Stage) SetPools(ctx context.Context, settings map[string]string) {
	GinkgoHelper()
	before := st.Pools(ctx).Data
	undo := map[string]*string{}
	for key := range settings {
		if value, ok := before[key]; ok {
			undo[key] = &value
		} else {
			undo[key] = nil
		}
	}
	DeferCleanup(st.patchPools, undo, metav1.PatchOptions{})
	Expect(st.patchPools(ctx, pointers(settings), metav1.PatchOptions{})).To(Succeed())
}

// TryPools changes keys of the pool ConfigMap like SetPools, but only says
// whether the API server would take them.
func (st *Stage) TryPools(ctx context.Context, settings map[string]string) error {
	return st.patchPools(ctx, pointers(settings), metav1.PatchOptions{DryRun: []string{metav1.DryRunAll}})
}

// Pools returns the pool ConfigMap.
func (st *Stage) Pools(ctx context.Context) *corev1.ConfigMap {
	GinkgoHelper()
	configMap, err := st.API.CoreV1().ConfigMaps(System).Get(ctx, ConfigMap, metav1.GetOptions{})
	Expect(err).NotTo(HaveOccurred())
	return configMap
}

// patchPools sets keys; nil takes one away.
func (st *Stage) patchPools(ctx context.Context, settings map[string]*string, options metav1.PatchOptions) error {
	patch, err := json.Marshal(map[string]any{"data": settings})
	if err != nil {
		return err
	}
	_, err = st.API.CoreV1().ConfigMaps(System).Patch(ctx, ConfigMap, types.MergePatchType, patch, options)
	return err
}

func pointers(settings map[string]string) map[string]*string {
	result := map[string]*string{}
	for key, value := range settings {
		result[key] = &value
	}
	return result
}

// PoolEvents returns the notes of the events on the pool ConfigMap that have a
// reason.
func (st *Stage) PoolEvents(ctx context.Context, reason string) (string, error) {
	return st.events(ctx, System, ConfigMap, reason)
}

// Events returns the notes of a Service's events that have a reason, one a
// line; with "", those of all Services of the scene.
func (s *Scene) Events(ctx context.Context, service, reason string) (string, error) {
	return s.events(ctx, s.Namespace, service, reason)
}

func (st *Stage) events(ctx context.Context, namespace, name, reason string) (string, error) {
	selector := "reason=" + reason
	if name != "" {
		selector += ",regarding.name=" + name
	}
	list, err := st.API.EventsV1().Events(namespace).List(ctx, metav1.ListOptions{FieldSelector: selector})
	if err != nil {
		return "", err
	}
	var notes []string
	for _, event := range list.Items {
		notes = append(notes, event.Note)
	}
	return strings.Join(notes, "\n"), nil
}
