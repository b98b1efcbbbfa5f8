package authz

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/go-logr/logr"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/heraldlb/herald/internal/apiserver"
)

const namespace = "default"

// token makes a ServiceAccount that may get some paths, and returns its token.
func token(t *testing.T, api kubernetes.Interface, name string, paths ...string) string {
	t.Helper()
	ctx := t.Context()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if _, err := api.CoreV1().ServiceAccounts(namespace).Create(ctx, account, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if len(paths) > 0 {
		role := &rbacv1.ClusterRole{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Rules:      []rbacv1.PolicyRule{{NonResourceURLs: paths, Verbs: []string{"get"}}},
		}
		if _, err := api.RbacV1().ClusterRoles().Create(ctx, role, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		binding := &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: name}},
		}
		if _, err := api.RbacV1().ClusterRoleBindings().Create(ctx, binding, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	request, err := api.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, name, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return request.Status.Token
}

// guarded returns a handler behind the filter.
func guarded(t *testing.T, config *rest.Config) http.Handler {
	t.Helper()
	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	filter, err := Filter(config, httpClient)
	if err != nil {
		t.Fatal(err)
	}
	handler, err := filter(logr.Discard(), http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	if err != nil {
		t.Fatal(err)
	}
	return handler
}

func status(handler http.Handler, method, path, authorization string) int {
	request := httptest.NewRequest(method, path, nil)
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	return recorder.Code
}

func TestFilter(t *testing.T) {
	config := apiserver.Start(t)
	api := kubernetes.NewForConfigOrDie(config)
	scraper, nobody := token(t, api, "scraper", "/metrics"), token(t, api, "nobody")
	handler := guarded(t, config)
	tests := map[string]struct {
		method, path, authorization string
		want                        int
	}{
		"allowed":               {http.MethodGet, "/metrics", "Bearer " + scraper, http.StatusOK},
		"another path":          {http.MethodGet, "/membership", "Bearer " + scraper, http.StatusForbidden},
		"another verb":          {http.MethodPost, "/metrics", "Bearer " + scraper, http.StatusForbidden},
		"who may nothing":       {http.MethodGet, "/metrics", "Bearer " + nobody, http.StatusForbidden},
		"no token":              {http.MethodGet, "/metrics", "", http.StatusUnauthorized},
		"an empty token":        {http.MethodGet, "/metrics", "Bearer ", http.StatusUnauthorized},
		"another scheme":        {http.MethodGet, "/metrics", "Basic " + scraper, http.StatusUnauthorized},
		"a token of nobody":     {http.MethodGet, "/metrics", "Bearer abc", http.StatusUnauthorized},
		"a token that was bent": {http.MethodGet, "/metrics", "Bearer " + scraper + "x", http.StatusUnauthorized},
	}
	for name, test := range tests {
		for _, time := range []string{"first", "second"} {
			if got := status(handler, test.method, test.path, test.authorization); got != test.want {
				t.Errorf("%s, the %s time: %d, want %d", name, time, got, test.want)
			}
		}
	}
}

// The API server's proxy takes Authorization off.
func TestHeader(t *testing.T) {
	d := newDoorkeeper(countedTokens{new(counting)}, countedAccess{new(counting)})
	request := httptest.NewRequest(http.MethodGet, "/membership", nil)
	request.Header.Set(Header, "Bearer abc")
	if err := d.admit(request); err != nil {
		t.Error(err)
	}
}

// An API server that is away allows nobody new, and denies nobody for good.
func TestAway(t *testing.T) {
	handler := guarded(t, &rest.Config{Host: "http://127.0.0.1:1"})
	if got := status(handler, http.MethodGet, "/metrics", "Bearer abc"); got != http.StatusServiceUnavailable {
		t.Errorf("%d, want %d", got, http.StatusServiceUnavailable)
	}
}

// counting answers every question with yes, and counts them.
type counting struct{ tokens, access int }

type countedTokens struct{ *counting }

func (c countedTokens) Create(_ context.Context, review *authenticationv1.TokenReview, _ metav1.CreateOptions) (*authenticationv1.TokenReview, error) {
	c.tokens++
	review.Status.Authenticated = true
	return review, nil
}

type countedAccess struct{ *counting }

func (c countedAccess) Create(_ context.Context, review *authorizationv1.SubjectAccessReview, _ metav1.CreateOptions) (*authorizationv1.SubjectAccessReview, error) {
	c.access++
	review.Status.Allowed = true
	return review, nil
}

// A scraper that comes again costs the API server nothing.
func TestRemembers(t *testing.T) {
	var asked counting
	d := newDoorkeeper(countedTokens{&asked}, countedAccess{&asked})
	handler, err := d.guard(logr.Discard(), http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if got := status(handler, http.MethodGet, "/metrics", "Bearer abc"); got != http.StatusOK {
			t.Fatalf("%d, want 200", got)
		}
	}
	if asked.tokens != 1 || asked.access != 1 {
		t.Errorf("asked %+v, want each once", asked)
	}
}
