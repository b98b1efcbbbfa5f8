package site

import (
	"context"
	"encoding/json"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// What the lab's Herald reads its pools from.
const (
	poolNamespace = "herald-system"
	poolConfigMap = "herald"
)

// Namespace is that of the benchmark's Services.
func (s *Site) Namespace() string { return s.namespace }

// SetPools sets keys of Herald's pool ConfigMap; nil takes one away.
func (s *Site) SetPools(ctx context.Context, settings map[string]*string) error {
	patch, err := json.Marshal(map[string]any{"data": settings})
	if err != nil {
		return err
	}
	_, err = s.API.CoreV1().ConfigMaps(poolNamespace).Patch(ctx, poolConfigMap, types.MergePatchType, patch, metav1.PatchOptions{})
	return err
}
