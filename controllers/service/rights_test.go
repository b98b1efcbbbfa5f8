package service_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/heraldlb/herald/controllers/loadbalancer"
)

func rightsTests() map[string]func(*world) {
	return map[string]func(*world){
		"those that deploy gives are enough": testDeployedRights,
	}
}

// testDeployedRights runs the controller, with all that it does, as the
// ServiceAccount of deploy/.
func testDeployedRights(w *world) {
	user := "system:serviceaccount:" + w.namespace + ":" + w.grantRights(filepath.Join("..", "..", "deploy", "base", "controller-rbac.yaml"))
	w.setPools(map[string]string{"cidr-global": poolNothing, "unknown": ""})
	restricted := *w
	restricted.config = rest.CopyConfig(w.config)
	restricted.config.Impersonate = rest.ImpersonationConfig{UserName: user}
	restricted.start(elects)

	w.create("web")
	w.is("web", hasSomeAddress(), hasFinalizer(true))
	w.told("web", "EnsuredLoadBalancer", "")
	w.told(w.pools.Name, "PoolsWarning", "unknown")
	w.create("next")
	w.is("next", because(loadbalancer.ReasonPoolExhausted, ""))
	w.delete("web")
	w.gone("web")
	w.is("next", hasSomeAddress())
	w.change("next", ofType(corev1.ServiceTypeClusterIP))
	w.is("next", released()...)
}

// grantRights applies a manifest of RBAC with everything of a namespace in the
// world's own, and returns the name of its ServiceAccount.
func (w *world) grantRights(manifest string) (account string) {
	w.Helper()
	text, err := os.ReadFile(manifest)
	if err != nil {
		w.Fatal(err)
	}
	documents := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return account
		}
		if err != nil {
			w.Fatal(err)
		}
		decoded, _, err := scheme.Codecs.UniversalDeserializer().Decode(document, nil, nil)
		if err != nil {
			w.Fatal(err)
		}
		object, ok := decoded.(client.Object)
		if !ok {
			w.Fatalf("%T in %s", decoded, manifest)
		}
		object.SetNamespace(w.namespace)
		switch object := object.(type) {
		case *corev1.ServiceAccount:
			account = object.Name
		case *rbacv1.RoleBinding:
			here(object.Subjects, w.namespace)
		case *rbacv1.ClusterRoleBinding:
			here(object.Subjects, w.namespace)
		}
		if err := w.api.Create(w.Context(), object); err != nil {
			w.Fatal(err)
		}
	}
}

func here(subjects []rbacv1.Subject, namespace string) {
	for i := range subjects {
		subjects[i].Namespace = namespace
	}
}
