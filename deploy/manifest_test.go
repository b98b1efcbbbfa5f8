package deploy

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// testManifests has the API server admit all that herald manifest prints, and holds the
// rights of its ServiceAccount against those of what deploy/ splits in two.
func (c *cluster) testManifests(t *testing.T) {
	// What kube-controller-manager would have made.
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "default"}}
	if err := client.IgnoreAlreadyExists(c.Create(t.Context(), account)); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../cmd/herald/testdata/manifest/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("manifests: %v, %v", files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			c.applyFile(t, file, "--dry-run=server")
		})
	}
	t.Run("rights", func(t *testing.T) {
		c.applyFile(t, "../cmd/herald/testdata/manifest/rbac-services.yaml")
		got := c.rightsOf(t, "kube-system", "herald", "kube-system")
		want := c.rights(t, "herald-agent", "herald-system")
		for right := range c.rights(t, "herald-controller", "herald-system") {
			want[right] = true
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("rights (-agent's and controller's of deploy/ +herald's of herald manifest rbac):\n%s", diff)
		}
	})
}

// applyFile applies a file as a user would. Nobody may have anything to complain of.
func (c *cluster) applyFile(t *testing.T, file string, args ...string) {
	t.Helper()
	var complaints bytes.Buffer
	args = append([]string{"apply", "--kubeconfig", c.kubeconfig, "--validate=strict", "-f", file}, args...)
	command := exec.CommandContext(t.Context(), c.kubectl, args...)
	command.Stderr = &complaints
	if err := command.Run(); err != nil || complaints.Len() > 0 {
		t.Errorf("apply %s: %v\n%s", file, err, complaints.String())
	}
}
