// Package deploy holds no code. Its tests apply what lies here to a real API
// server, and ask it what the Pods and their accounts may do.
package deploy

import (
	"os"
	"path/filepath"
	"testing"
)

func TestDeploy(t *testing.T) {
	c := startCluster(t)
	c.apply(t, "base")
	if t.Failed() {
		t.FailNow()
	}
	c.addMonitoring(t)
	t.Run("trees", c.testTrees)
	t.Run("quick starts", c.testQuickStarts)
	t.Run("rights", c.testRights)
	t.Run("status", c.testStatus)
	t.Run("external points", c.testExternal)
	t.Run("pods", c.testPods)
	t.Run("pool policy", c.testPoolPolicy)
	t.Run("manifests", c.testManifests)
	t.Run("observability", c.testObservability)
	t.Run("kube-vip's pools", c.testKubeVIPPools)
}

// testTrees applies every overlay and component to a server that has the base.
func (c *cluster) testTrees(t *testing.T) {
	overlays, err := filepath.Glob("overlays/*")
	if err != nil || len(overlays) == 0 {
		t.Fatalf("overlays: %v, %v", overlays, err)
	}
	components, err := filepath.Glob("components/*")
	if err != nil || len(components) == 0 {
		t.Fatalf("components: %v, %v", components, err)
	}
	for _, overlay := range overlays {
		t.Run(overlay, func(t *testing.T) { c.apply(t, overlay, "--dry-run=server") })
	}
	for _, component := range components {
		t.Run(component, func(t *testing.T) { c.apply(t, compose(t, component), "--dry-run=server") })
	}
	t.Run("all components", func(t *testing.T) { c.apply(t, compose(t, components...), "--dry-run=server") })
	t.Run("base again", func(t *testing.T) { c.apply(t, "base") })
}

// testKubeVIPPools applies the component for good: rights and policy go where
// the pools are.
func (c *cluster) testKubeVIPPools(t *testing.T) {
	c.apply(t, compose(t, "components/kubevip-pools"))
	for _, account := range []string{"herald-controller", "herald-agent"} {
		rights := c.rights(t, account, "kube-system")
		for _, verb := range []string{"list", "watch"} {
			if want := verb + " configmaps kubevip"; !rights[want] {
				t.Errorf("%s may not %s", account, want)
			}
			want, its := verb+" secrets herald-bgp", account == "herald-agent"
			if rights[want] != its {
				t.Errorf("%s may %s: %v, want %v", account, want, rights[want], its)
			}
		}
	}
	poll(t, "the policy in force in kube-system", func() bool {
		return tryPools(t, c, "kube-system/kubevip", data{"cidr-global": "nonsense"}) != nil
	})
	if err := tryPools(t, c, "herald-system/herald", data{"cidr-global": "nonsense"}); err != nil {
		t.Error(err)
	}
}

// compose returns a kustomization, as a user would write it, of the base and
// some components.
func compose(t *testing.T, components ...string) string {
	t.Helper()
	directory := t.TempDir()
	relative := func(path string) string {
		absolute, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		link, err := filepath.Rel(directory, absolute)
		if err != nil {
			t.Fatal(err)
		}
		return link
	}
	kustomization := "resources:\n- " + relative("base") + "\ncomponents:\n"
	for _, component := range components {
		kustomization += "- " + relative(component) + "\n"
	}
	if err := os.WriteFile(filepath.Join(directory, "kustomization.yaml"), []byte(kustomization), 0o600); err != nil {
		t.Fatal(err)
	}
	return directory
}
