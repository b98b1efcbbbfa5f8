package chart

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/heraldlb/herald/release/kustomize"
)

// TestEqualsKustomize renders the chart and a kustomization of deploy/ that say the same, and compares
// them object by object. Rights and policies the chart takes of deploy/base itself; what was changed in
// its controller.yaml or node.yaml has to be changed in the chart's template of the same name.
func TestEqualsKustomize(t *testing.T) {
	for _, test := range []struct {
		name      string
		resource  string
		component string
		values    values
	}{
		{name: "base", resource: "base"},
		{name: "class-only", resource: "base", component: "components/class-only", values: "classOnly: true"},
		{name: "excluded nodes too", resource: "base", component: "components/serve-excluded", values: "agent: {serveExcluded: true}"},
		{name: "observability", resource: "base", component: "components/observability", values: "monitoring: {enabled: true}"},
		{
			name: "kube-vip's pools", resource: "base", component: "components/kubevip-pools",
			values: "configMap: {namespace: kube-system, name: kubevip}",
		},
		{name: "K3s", resource: "overlays/k3s", values: read(t, deploy+"/helm/values/k3s.yaml")},
	} {
		t.Run(test.name, func(t *testing.T) {
			text, err := kustomize.Render(compose(t, test.resource, test.component))
			if err != nil {
				t.Fatal(err)
			}
			want := make(objects)
			want.add(t, text)
			// Helm makes the namespace (--create-namespace), and NOTES.txt tells how to label it.
			delete(want, "Namespace <nil>/herald-system")
			got := render(t, "herald-system", test.values)
			for _, object := range got {
				unlabel(object)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("objects (-%s +helm template, release herald in herald-system):\n%s", test.resource, diff)
			}
		})
	}
}

// unlabel takes off what Helm knows its own objects by.
func unlabel(object object) {
	labels := object["metadata"].(map[string]any)["labels"].(map[string]any)
	delete(labels, "app.kubernetes.io/managed-by")
	delete(labels, "helm.sh/chart")
}

func read(t *testing.T, path string) values {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return values(text)
}

// compose returns a kustomization of a resource of deploy/, and a component if one is named.
func compose(t *testing.T, resource, component string) string {
	t.Helper()
	folder := t.TempDir()
	text := "resources: [" + relative(t, folder, resource) + "]\n"
	if component != "" {
		text += "components: [" + relative(t, folder, component) + "]\n"
	}
	if err := os.WriteFile(filepath.Join(folder, "kustomization.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return folder
}

func relative(t *testing.T, from, to string) string {
	t.Helper()
	absolute, err := filepath.Abs(filepath.Join(deploy, to))
	if err != nil {
		t.Fatal(err)
	}
	path, err := filepath.Rel(from, absolute)
	if err != nil {
		t.Fatal(err)
	}
	return path
}
