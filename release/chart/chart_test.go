package chart

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v4/pkg/chart/v2/lint"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"sigs.k8s.io/yaml"
)

// everything sets each value to another than its default.
const everything = `
image: {repository: registry.example/herald, tag: v9, pullPolicy: Always}
imagePullSecrets: [{name: pull}]
classes: [heraldlb.io/herald, example.com/lb]
classOnly: true
configMap: {namespace: pools, name: addresses}
pools: {range-global: 192.0.2.1-192.0.2.9, allow-share-global: true, search-order: desc}
heartbeat: {secretName: beats, keys: {current: 0123456789abcdef0123456789abcdef}}
logLevel: debug
metrics: {secure: false, readers: [{namespace: monitoring, name: prometheus}]}
monitoring: {enabled: true, labels: {release: prometheus}, interval: 1m, rules: false, dashboard: false}
controller:
  replicas: 3
  resources: {limits: {memory: 1Gi}}
  nodeSelector: {a: b}
  tolerations: [{key: a, operator: Exists}]
  affinity: {podAntiAffinity: {}}
  priorityClassName: important
  podAnnotations: {a: b}
  extraArgs: [--leader-elect=false]
node:
  maxUnavailable: 10%
  nodeSelector: {c: d}
  tolerations: [{key: c, operator: Exists}]
  affinity: {podAntiAffinity: {}}
  priorityClassName: urgent
  podAnnotations: {c: d}
agent: {serveExcluded: true, resources: {limits: {memory: 2Gi}}, extraArgs: [--health-address=:9999]}
announcer: {resources: {limits: {memory: 3Gi}}, extraArgs: [--interval=50ms]}
`

func TestLint(t *testing.T) {
	for name, v := range map[string]values{"defaults": "", "everything": everything} {
		result := lint.RunAll(folder, v.parse(t), "herald-system")
		for _, message := range result.Messages {
			// That there is no icon is all it may say.
			if !strings.Contains(message.Error(), "icon is recommended") {
				t.Errorf("%s: %v", name, message)
			}
		}
	}
}

func TestValues(t *testing.T) {
	const (
		deployment = "Deployment herald-system/herald-controller"
		daemonSet  = "DaemonSet herald-system/herald"
	)
	got := render(t, "herald-system", everything)
	pod := func(name string, keys ...any) any {
		return got.at(t, name, append([]any{"spec", "template", "spec"}, keys...)...)
	}
	const announcer, agent = 0, 1
	for _, test := range []struct {
		name      string
		got, want any
	}{
		{"image", pod(deployment, "containers", 0, "image"), "registry.example/herald:v9"},
		{"image of the announcer", pod(daemonSet, "containers", announcer, "image"), "registry.example/herald:v9"},
		{"image of the agent", pod(daemonSet, "containers", agent, "image"), "registry.example/herald:v9"},
		{"pull policy", pod(daemonSet, "containers", agent, "imagePullPolicy"), "Always"},
		{"pull secret", pod(daemonSet, "imagePullSecrets", 0, "name"), "pull"},
		{"controller's arguments", pod(deployment, "containers", 0, "args"), []any{
			"--config-map=pools/addresses", "--class=heraldlb.io/herald,example.com/lb", "--class-only", "--log-level=debug", "--leader-elect=false",
		}},
		{"agent's arguments", pod(daemonSet, "containers", agent, "args"), []any{
			"--config-map=pools/addresses", "--class=heraldlb.io/herald,example.com/lb", "--class-only", "--log-level=debug",
			"--metrics-secure=false", "--serve-excluded", "--health-address=:9999",
		}},
		{"announcer's arguments", pod(daemonSet, "containers", announcer, "args"), []any{"--heartbeat-key-dir=/etc/herald/heartbeat", "--interval=50ms"}},
		{"pools", got.at(t, "ConfigMap pools/addresses", "data"), object{
			"range-global": "192.0.2.1-192.0.2.9", "allow-share-global": "true", "search-order": "desc",
		}},
		{"rights where the pools are", got.at(t, "Role pools/herald-pools", "rules", 0, "resourceNames"), []any{"addresses"}},
		{
			"policy where the pools are", got.at(t, "ValidatingAdmissionPolicy <nil>/pools.heraldlb.io", "spec", "matchConstraints", "namespaceSelector", "matchLabels"),
			object{"kubernetes.io/metadata.name": "pools"},
		},
		{"keys", got.at(t, "Secret herald-system/beats", "data", "current"), base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef"))},
		{"the announcer's Secret", pod(daemonSet, "volumes", 1, "secret", "secretName"), "beats"},
		{
			"reader of metrics", got.at(t, "ClusterRoleBinding <nil>/herald-status-readers", "subjects", 0),
			object{"kind": "ServiceAccount", "namespace": "monitoring", "name": "prometheus"},
		},
		{"what Prometheus selects by", got.at(t, "ServiceMonitor herald-system/herald-agent", "metadata", "labels", "release"), "prometheus"},
		{"no secure metrics, no token", got.at(t, "ServiceMonitor herald-system/herald-agent", "spec", "endpoints", 0), object{
			"port": "metrics", "interval": "1m",
			"relabelings": []any{object{"sourceLabels": []any{"__meta_kubernetes_pod_node_name"}, "targetLabel": "node"}},
		}},
		{"no secure metrics, no account", got["ServiceAccount herald-system/herald-metrics"], object(nil)},
		{"no secure metrics, no Secret", got["Secret herald-system/herald-metrics"], object(nil)},
		{"no alerts", got["PrometheusRule herald-system/herald"], object(nil)},
		{"no dashboard", got["ConfigMap herald-system/herald-dashboard"], object(nil)},
		{"replicas", got.at(t, deployment, "spec", "replicas"), float64(3)},
		{"nodes at once", got.at(t, daemonSet, "spec", "updateStrategy", "rollingUpdate", "maxUnavailable"), "10%"},
		{"controller's limits", pod(deployment, "containers", 0, "resources", "limits", "memory"), "1Gi"},
		{"agent's limits", pod(daemonSet, "containers", agent, "resources", "limits", "memory"), "2Gi"},
		{"announcer's limits", pod(daemonSet, "containers", announcer, "resources", "limits", "memory"), "3Gi"},
		{"controller's nodes", pod(deployment, "nodeSelector", "a"), "b"},
		{"nodes", pod(daemonSet, "nodeSelector", "c"), "d"},
		{"controller's tolerations", pod(deployment, "tolerations"), []any{object{"key": "a", "operator": "Exists"}}},
		{"tolerations", pod(daemonSet, "tolerations"), []any{object{"key": "c", "operator": "Exists"}}},
		{"controller's affinity", pod(deployment, "affinity"), object{"podAntiAffinity": object{}}},
		{"affinity", pod(daemonSet, "affinity"), object{"podAntiAffinity": object{}}},
		{"controller's priority", pod(deployment, "priorityClassName"), "important"},
		{"priority", pod(daemonSet, "priorityClassName"), "urgent"},
		{"controller's annotation", got.at(t, deployment, "spec", "template", "metadata", "annotations", "a"), "b"},
		{"annotation", got.at(t, daemonSet, "spec", "template", "metadata", "annotations", "c"), "d"},
	} {
		if diff := cmp.Diff(test.want, test.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestDigest(t *testing.T) {
	digest := "sha256:" + strings.Repeat("0", 64)
	got := render(t, "herald-system", values("image: {digest: '"+digest+"'}")).
		at(t, "Deployment herald-system/herald-controller", "spec", "template", "spec", "containers", 0, "image")
	if want := "ghcr.io/heraldlb/herald@" + digest; got != want {
		t.Errorf("image %v, want %s", got, want)
	}
}

// TestOtherNamespace has nothing left in a namespace that the release is not in.
func TestOtherNamespace(t *testing.T) {
	for file, text := range must(try(t, "elsewhere", "{pools: {range-global: 192.0.2.1-192.0.2.9}, monitoring: {enabled: true}}")) {
		if strings.Contains(text, "herald-system") {
			t.Errorf("%s names herald-system for a release in elsewhere", file)
		}
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// TestRefused gives values that the schema has to refuse.
func TestRefused(t *testing.T) {
	for _, v := range []values{
		"imgae: {tag: v1}",
		"image: {pullPolicy: Sometimes}",
		"image: {digest: sha256:12}",
		"classes: []",
		"classes: [nonsense]",
		"classOnly: 'yes'",
		"pools: {range_global: 192.0.2.1-192.0.2.9}",
		"pools: {search-order: up}",
		"pools: {range-global: [192.0.2.1-192.0.2.9]}",
		"heartbeat: {keys: {current: short}}",
		"logLevel: verbose",
		"metrics: {readers: [{name: prometheus}]}",
		"monitoring: {enabled: true, interval: often}",
		"monitoring: {enabled: true, interval: 3m}",
		"monitoring: {enabled: true, interval: 121s}",
		"monitoring: {labels: [release]}",
		"controller: {replicas: two}",
		"controller: {resources: {memory: 1Gi}}",
		"controller: {tolerations: [{key: a, operator: Like}]}",
		"node: {maxUnavailable: 0}",
		"agent: {extraArgs: [log-level=debug]}",
	} {
		if _, err := try(t, "herald-system", v); err == nil {
			t.Errorf("admitted: %s", v)
		}
	}
}

// TestDocumented has each value in the schema, with a comment in values.yaml, and in the README.
func TestDocumented(t *testing.T) {
	chart := must(loader.LoadDir(folder))
	var schema object
	if err := json.Unmarshal(chart.Schema, &schema); err != nil {
		t.Fatal(err)
	}
	if got, want := chart.Metadata.Version, strings.TrimPrefix(chart.Metadata.AppVersion, "v"); got != want {
		t.Errorf("Chart.yaml: version %s, appVersion v%s", got, want)
	}
	readme := must(os.ReadFile(folder + "/README.md"))
	inReadme := make(map[string]bool)
	for _, match := range regexp.MustCompile("(?m)^\\| `([A-Za-z.]+)` \\|").FindAllSubmatch(readme, -1) {
		inReadme[string(match[1])] = true
	}
	want := make(map[string]bool)
	for name := range chart.Values {
		leaves(t, name, chart.Values[name], schema, want)
	}
	if diff := cmp.Diff(want, inReadme); diff != "" {
		t.Errorf("values (-values.yaml and schema +README):\n%s", diff)
	}
	for name, set := range values(everything).parse(t) {
		group, grouped := set.(object)
		if !grouped || chart.Values[name] == nil {
			continue
		}
		for _, key := range slices.Sorted(maps.Keys(group)) {
			if cmp.Equal(group[key], must(normal(chart.Values[name]))[key]) {
				t.Errorf("TestValues leaves %s.%s at its default", name, key)
			}
		}
	}
}

func normal(value any) (object, error) {
	text, err := yaml.Marshal(value)
	if err != nil {
		return nil, err
	}
	var decoded object
	return decoded, yaml.Unmarshal(text, &decoded)
}

// leaves collects the values by their full name: those that the schema describes one by one.
func leaves(t *testing.T, name string, value any, schema object, into map[string]bool) {
	t.Helper()
	_, key, _ := strings.Cut("."+name, ".")
	if i := strings.LastIndex(name, "."); i >= 0 {
		key = name[i+1:]
	}
	described, ok := schema["properties"].(object)[key].(object)
	if !ok {
		t.Errorf("the schema has no %s", name)
		return
	}
	group, _ := value.(object)
	_, fixed := described["properties"].(object)
	if _, open := described["patternProperties"]; group == nil || !fixed || open {
		into[name] = true
		return
	}
	for key, value := range group {
		leaves(t, name+"."+key, value, described, into)
	}
}

func TestPack(t *testing.T) {
	created := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	first := must(Pack(folder, "v1.2.3", created, t.TempDir()))
	second := must(Pack(folder, "v1.2.3", created, t.TempDir()))
	if !bytes.Equal(must(os.ReadFile(first)), must(os.ReadFile(second))) {
		t.Error("packed twice, it is not the same")
	}
	chart := must(loader.LoadFile(first))
	if chart.Metadata.Version != "1.2.3" || chart.Metadata.AppVersion != "v1.2.3" {
		t.Errorf("packed as %s of %s", chart.Metadata.Version, chart.Metadata.AppVersion)
	}
	if _, err := Pack(folder, "latest", created, t.TempDir()); err == nil {
		t.Error("a chart was packed whose version is none")
	}
}
