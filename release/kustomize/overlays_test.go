package kustomize

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// TestOverlays has each overlay change what is listed here, and nothing else.
func TestOverlays(t *testing.T) {
	servers := []string{
		"+ Deployment/herald-controller.spec.template.spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution.0.preference.matchExpressions.0.key: node-role.kubernetes.io/control-plane",
		"+ Deployment/herald-controller.spec.template.spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution.0.preference.matchExpressions.0.operator: Exists",
		"+ Deployment/herald-controller.spec.template.spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution.0.weight: 100",
		"+ Deployment/herald-controller.spec.template.spec.tolerations.1.key: CriticalAddonsOnly",
		"+ Deployment/herald-controller.spec.template.spec.tolerations.1.operator: Exists",
		"+ Deployment/herald-controller.spec.template.spec.tolerations.2.effect: NoExecute",
		"+ Deployment/herald-controller.spec.template.spec.tolerations.2.key: node-role.kubernetes.io/etcd",
		"+ Deployment/herald-controller.spec.template.spec.tolerations.2.operator: Exists",
	}
	want := map[string][]string{
		"kubeadm": nil,
		"talos":   nil,
		"k3s":     servers,
		"rke2":    servers,
		"kind": {
			"+ DaemonSet/herald.spec.template.spec.containers.0.imagePullPolicy: Never",
			"+ DaemonSet/herald.spec.template.spec.containers.1.imagePullPolicy: Never",
			"+ Deployment/herald-controller.spec.template.spec.containers.0.imagePullPolicy: Never",
			"- DaemonSet/herald.spec.template.spec.containers.0.imagePullPolicy: IfNotPresent",
			"- DaemonSet/herald.spec.template.spec.containers.1.imagePullPolicy: IfNotPresent",
			"- Deployment/herald-controller.spec.template.spec.containers.0.imagePullPolicy: IfNotPresent",
		},
	}
	const overlays = "../../deploy/overlays"
	entries, err := os.ReadDir(overlays)
	if err != nil {
		t.Fatal(err)
	}
	base := facts(t, "../../deploy/base")
	got := make(map[string][]string)
	for _, entry := range entries {
		overlay := facts(t, filepath.Join(overlays, entry.Name()))
		got[entry.Name()] = changes(base, overlay)
		for fact := range overlay {
			if strings.Contains(fact, ".hostPath.") {
				t.Errorf("%s mounts of the host: %s", entry.Name(), fact)
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what overlays change (-want +got):\n%s", diff)
	}
}

// changes are the facts that are gone and those that are new.
func changes(before, after map[string]bool) []string {
	var all []string
	for fact := range before {
		if !after[fact] {
			all = append(all, "- "+fact)
		}
	}
	for fact := range after {
		if !before[fact] {
			all = append(all, "+ "+fact)
		}
	}
	slices.Sort(all)
	return all
}

// facts are all that a kustomization says, each as KIND/NAME.KEY.KEY: VALUE.
func facts(t *testing.T, folder string) map[string]bool {
	t.Helper()
	text, err := Render(folder)
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]bool)
	for document := range strings.SplitSeq(string(text), "\n---\n") {
		var object struct {
			Kind     string
			Metadata struct{ Name string }
		}
		var whole any
		if err := yaml.Unmarshal([]byte(document), &object); err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal([]byte(document), &whole); err != nil {
			t.Fatal(err)
		}
		collect(object.Kind+"/"+object.Metadata.Name, whole, all)
	}
	return all
}

func collect(at string, value any, into map[string]bool) {
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range value {
			collect(at+"."+key, inner, into)
		}
	case []any:
		for i, inner := range value {
			collect(fmt.Sprintf("%s.%d", at, i), inner, into)
		}
	default:
		into[fmt.Sprintf("%s: %v", at, value)] = true
	}
}
