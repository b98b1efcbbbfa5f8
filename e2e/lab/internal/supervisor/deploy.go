package supervisor

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
)

// Where Herald looks for its pools unless it is told otherwise.
const (
	heraldNamespace = "herald-system"
	heraldConfigMap = "herald"
)

// deploy applies Herald's own manifests, gives it the segment's pool, and
// waits until its roles are ready.
func (s *Supervisor) deploy(ctx context.Context, detail func(string)) error {
	if s.config.Deploy == "" {
		return nil
	}
	cmd := exec.CommandContext(ctx, s.program("kube"), "kubectl", "--kubeconfig="+kubeconfigOf("admin"),
		"apply", "--kustomize="+filepath.Join(s.config.Root, s.config.Deploy))
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("kubectl apply --kustomize=%s: %w: %s", s.config.Deploy, err, output)
	}
	var ranges []string
	for _, pool := range s.plan.Pools {
		ranges = append(ranges, pool.String())
	}
	pools := applycorev1.ConfigMap(heraldConfigMap, heraldNamespace).
		WithData(map[string]string{"range-global": strings.Join(ranges, ",")})
	if _, err := s.client.CoreV1().ConfigMaps(heraldNamespace).Apply(ctx, pools, metav1.ApplyOptions{FieldManager: "lab", Force: true}); err != nil {
		return fmt.Errorf("pools: %w", err)
	}
	return s.awaitRoles(ctx, detail)
}
