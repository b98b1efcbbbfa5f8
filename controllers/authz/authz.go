// Package authz lets in to an HTTP server those whom the API server lets in, as
// Kubernetes' own components do: a bearer token is shown to it in a TokenReview,
// and what its user wants in a SubjectAccessReview of the path and the verb.
//
// k8s.io/apiserver has the same, with a CEL interpreter and gRPC behind it,
// which is more than the rest of an agent weighs.
package authz

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/go-logr/logr"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/cache"
	authenticationclient "k8s.io/client-go/kubernetes/typed/authentication/v1"
	authorizationclient "k8s.io/client-go/kubernetes/typed/authorization/v1"
	"k8s.io/client-go/rest"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

// How long an answer of the API server holds, and how many are kept: scrapers
// come every few seconds, and no request of theirs is to cost two of ours.
const (
	allowedFor = time.Minute
	deniedFor  = 10 * time.Second
	remembered = 256
	// patience bounds both questions to the API server together.
	patience = 10 * time.Second
)

// Filter is a metricsserver.Options.FilterProvider.
func Filter(config *rest.Config, httpClient *http.Client) (metricsserver.Filter, error) {
	tokens, err := authenticationclient.NewForConfigAndClient(config, httpClient)
	if err != nil {
		return nil, fmt.Errorf("client for TokenReviews: %w", err)
	}
	access, err := authorizationclient.NewForConfigAndClient(config, httpClient)
	if err != nil {
		return nil, fmt.Errorf("client for SubjectAccessReviews: %w", err)
	}
	return newDoorkeeper(tokens.TokenReviews(), access.SubjectAccessReviews()).guard, nil
}

type tokenReviews interface {
	Create(context.Context, *authenticationv1.TokenReview, metav1.CreateOptions) (*authenticationv1.TokenReview, error)
}

type accessReviews interface {
	Create(context.Context, *authorizationv1.SubjectAccessReview, metav1.CreateOptions) (*authorizationv1.SubjectAccessReview, error)
}

// doorkeeper asks the API server, and remembers what it said.
type doorkeeper struct {
	tokens  tokenReviews
	access  accessReviews
	answers *cache.LRUExpireCache
}

func newDoorkeeper(tokens tokenReviews, access accessReviews) *doorkeeper {
	return &doorkeeper{tokens: tokens, access: access, answers: cache.NewLRUExpireCache(remembered)}
}

// question is what an answer is remembered by. The token is not kept.
type question struct {
	token      [sha256.Size]byte
	verb, path string
}

// Header may carry the credentials in place of Authorization, which the API
// server takes off what it passes on to a Pod.
const Header = "Herald-Authorization"

var (
	errUnauthenticated = errors.New("no valid bearer token")
	errForbidden       = errors.New("not allowed")
)

// guard is a metricsserver.Filter.
func (d *doorkeeper) guard(log logr.Logger, next http.Handler) (http.Handler, error) {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := d.admit(r)
		switch {
		case err == nil:
			next.ServeHTTP(w, r)
		case errors.Is(err, errUnauthenticated):
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, err.Error(), http.StatusUnauthorized)
		case errors.Is(err, errForbidden):
			http.Error(w, err.Error(), http.StatusForbidden)
		default:
			log.Error(err, "request neither allowed nor denied", "path", r.URL.Path)
			http.Error(w, "the API server does not say who may read this", http.StatusServiceUnavailable)
		}
	}), nil
}

// admit returns nil for who may do what r asks for. Errors wrap
// errUnauthenticated or errForbidden where that is the answer.
func (d *doorkeeper) admit(r *http.Request) error {
	token, found := strings.CutPrefix(cmp.Or(r.Header.Get("Authorization"), r.Header.Get(Header)), "Bearer ")
	if !found || token == "" {
		return errUnauthenticated
	}
	q := question{token: sha256.Sum256([]byte(token)), verb: strings.ToLower(r.Method), path: r.URL.Path}
	if answer, known := d.answers.Get(q); known {
		err, _ := answer.(error)
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	err := d.ask(ctx, token, q)
	switch {
	case err == nil:
		d.answers.Add(q, nil, allowedFor)
	case errors.Is(err, errUnauthenticated), errors.Is(err, errForbidden):
		d.answers.Add(q, err, deniedFor)
	}
	return err
}

func (d *doorkeeper) ask(ctx context.Context, token string, q question) error {
	identity, err := d.tokens.Create(ctx, &authenticationv1.TokenReview{
		Spec: authenticationv1.TokenReviewSpec{Token: token},
	}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("review a token: %w", err)
	}
	if !identity.Status.Authenticated {
		return errUnauthenticated
	}
	user := identity.Status.User
	extra := make(map[string]authorizationv1.ExtraValue, len(user.Extra))
	for key, value := range user.Extra {
		extra[key] = authorizationv1.ExtraValue(value)
	}
	verdict, err := d.access.Create(ctx, &authorizationv1.SubjectAccessReview{
		Spec: authorizationv1.SubjectAccessReviewSpec{
			NonResourceAttributes: &authorizationv1.NonResourceAttributes{Path: q.path, Verb: q.verb},
			User:                  user.Username, UID: user.UID, Groups: user.Groups, Extra: extra,
		},
	}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("review what %s may: %w", user.Username, err)
	}
	if !verdict.Status.Allowed {
		return fmt.Errorf("%w: %s may not %s %s", errForbidden, user.Username, q.verb, q.path)
	}
	return nil
}
