package deploy

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/heraldlb/herald/internal/apiserver"
)

// cluster is a real API server, and a user's kubectl that talks to it.
type cluster struct {
	client.Client
	config     *rest.Config
	kubectl    string
	kubeconfig string
}

// startCluster starts an API server with all of its default admission, and
// stops it when the test ends.
func startCluster(t *testing.T) *cluster {
	t.Helper()
	assets, err := filepath.Abs("../bin/assets")
	if err != nil {
		t.Fatal(err)
	}
	c := &cluster{kubectl: filepath.Join(assets, "kubectl")}
	if _, err := os.Stat(c.kubectl); err != nil {
		t.Fatalf("%v: `make lab` builds it", err)
	}
	var kubeconfig []byte
	c.config, kubeconfig = apiserver.StartWith(t, func(server *envtest.APIServer) {
		// envtest turns the admission of ServiceAccounts off; who gets a token matters here.
		server.Configure().Set("disable-admission-plugins")
	})
	c.kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(c.kubeconfig, kubeconfig, 0o600); err != nil {
		t.Fatal(err)
	}
	c.Client = c.as(t, "", rest.NoWarnings{})
	return c
}

// as returns a client of a ServiceAccount in herald-system; "" is the administrator.
func (c *cluster) as(t *testing.T, serviceAccount string, warnings rest.WarningHandler) client.Client {
	t.Helper()
	return c.asOf(t, "herald-system", serviceAccount, warnings)
}

// asOf returns a client of a ServiceAccount of another namespace.
func (c *cluster) asOf(t *testing.T, namespace, serviceAccount string, warnings rest.WarningHandler) client.Client {
	t.Helper()
	config := rest.CopyConfig(c.config)
	config.QPS = -1
	config.WarningHandler = warnings
	if serviceAccount != "" {
		config.Impersonate = rest.ImpersonationConfig{
			UserName: "system:serviceaccount:" + namespace + ":" + serviceAccount,
			Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:" + namespace, "system:authenticated"},
		}
	}
	api, err := client.New(config, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return api
}

// warnings collects what the API server warns of.
type warnings struct{ bytes.Buffer }

// HandleWarningHeader implements rest.WarningHandler.
func (w *warnings) HandleWarningHeader(_ int, _, text string) {
	w.WriteString(text + "\n")
}

// apply applies a kustomization as a user would. Neither kubectl nor the API
// server may have anything to complain of.
func (c *cluster) apply(t *testing.T, kustomization string, args ...string) {
	t.Helper()
	var complaints bytes.Buffer
	args = append([]string{"apply", "--kubeconfig", c.kubeconfig, "--validate=strict", "-k", kustomization}, args...)
	command := exec.CommandContext(t.Context(), c.kubectl, args...)
	command.Stderr = &complaints
	if err := command.Run(); err != nil || complaints.Len() > 0 {
		t.Errorf("apply %s: %v\n%s", kustomization, err, complaints.String())
	}
}
