package announcement

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
)

// AnnotationRebalance is the annotation on the ConfigMap of the pools that asks for
// the addresses to be spread anew over the nodes, each time that it becomes
// another word.
const AnnotationRebalance = "heraldlb.io/rebalance"

// Rebalance asks for that, by a new word, which it returns.
func Rebalance(ctx context.Context, core corev1client.ConfigMapsGetter, pools types.NamespacedName) (word string, err error) {
	word = time.Now().UTC().Format(time.RFC3339Nano)
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"annotations": map[string]string{AnnotationRebalance: word}},
	})
	if err != nil {
		return "", err
	}
	_, err = core.ConfigMaps(pools.Namespace).Patch(ctx, pools.Name, types.MergePatchType, patch, metav1.PatchOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return "", fmt.Errorf("there is no ConfigMap %s: %w", pools, err)
	case err != nil:
		return "", fmt.Errorf("annotate ConfigMap %s: %w", pools, err)
	}
	return word, nil
}
