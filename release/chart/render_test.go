package chart

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

const (
	deploy = "../../deploy"
	folder = deploy + "/helm/herald"
)

// values of the chart, as YAML.
type values string

func (v values) parse(t *testing.T) map[string]any {
	t.Helper()
	var parsed map[string]any
	if err := yaml.Unmarshal([]byte(v), &parsed); err != nil {
		t.Fatal(err)
	}
	return parsed
}

// object is one of Kubernetes', decoded.
type object = map[string]any

// objects are named KIND NAMESPACE/NAME.
type objects map[string]object

// render renders the chart, as `helm template` would.
func render(t *testing.T, namespace string, v values) objects {
	t.Helper()
	files, err := try(t, namespace, v)
	if err != nil {
		t.Fatal(err)
	}
	all := make(objects)
	for _, file := range slices.Sorted(maps.Keys(files)) {
		if path.Ext(file) == ".yaml" {
			all.add(t, []byte(files[file]))
		}
	}
	return all
}

// try returns the files that the chart renders to, or why it does not.
func try(t *testing.T, namespace string, v values) (map[string]string, error) {
	t.Helper()
	chart, err := loader.LoadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	options := common.ReleaseOptions{Name: "herald", Namespace: namespace, IsInstall: true, Revision: 1}
	merged, err := util.ToRenderValues(chart, v.parse(t), options, nil)
	if err != nil {
		return nil, err
	}
	return engine.Engine{Strict: true}.RenderWithContext(t.Context(), chart, merged)
}

// known are the kinds of Kubernetes, and of the Prometheus Operator.
func known(t *testing.T) *runtime.Scheme {
	t.Helper()
	kinds := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{scheme.AddToScheme, monitoringv1.AddToScheme} {
		if err := add(kinds); err != nil {
			t.Fatal(err)
		}
	}
	return kinds
}

// add adds the objects of a YAML text. Each has fields that Kubernetes knows, and no other.
func (o objects) add(t *testing.T, text []byte) {
	t.Helper()
	strict := serializer.NewCodecFactory(known(t), serializer.EnableStrict).UniversalDeserializer()
	for part := range strings.SplitSeq("\n"+string(text), "\n---\n") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		if _, _, err := strict.Decode([]byte(part), nil, nil); err != nil {
			t.Errorf("%v\n%s", err, part)
		}
		var decoded object
		if err := yaml.UnmarshalStrict([]byte(part), &decoded); err != nil {
			t.Fatal(err)
		}
		metadata := decoded["metadata"].(object)
		name := fmt.Sprintf("%s %v/%v", decoded["kind"], metadata["namespace"], metadata["name"])
		if _, twice := o[name]; twice {
			t.Errorf("%s is there twice", name)
		}
		o[name] = decoded
	}
}

// at returns what stands in an object under these keys; a number is an index.
func (o objects) at(t *testing.T, name string, keys ...any) any {
	t.Helper()
	found := any(o[name])
	for _, key := range keys {
		var ok bool
		switch container := found.(type) {
		case object:
			found, ok = container[fmt.Sprint(key)]
		case []any:
			index := key.(int)
			if ok = index < len(container); ok {
				found = container[index]
			}
		}
		if !ok {
			t.Fatalf("%s has no %v of %v", name, key, keys)
		}
	}
	return found
}
