package advertisement

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"

	"github.com/heraldlb/herald/announcer/bgp"
	config "github.com/heraldlb/herald/config/bgp"
)

// passwords are what the Secret has. They are replaced, never changed.
type passwords struct {
	// there says that there is a Secret, as far as is known.
	there bool
	known map[string]string
}

// needSecret watches the Secret once a peer of s has its password there: an agent
// without the right to read it, of older manifests, waits for nothing that nobody
// asked for.
func (a *Advertiser) needSecret(ctx context.Context, s *selection) {
	needed := slices.ContainsFunc(s.peers, func(p config.Peer) bool { return p.PasswordKey != "" })
	if !needed || a.cluster.secret || a.cluster.alone {
		return
	}
	informer, err := a.cluster.cache.GetInformer(ctx, &corev1.Secret{}, cache.BlockUntilSynced(false))
	if err == nil {
		_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
			AddFunc:    a.takeSecret,
			UpdateFunc: func(_, object any) { a.takeSecret(object) },
			DeleteFunc: func(any) { a.setPasswords(passwords{}) },
		})
	}
	if err != nil {
		a.log.Error("passwords are not read", "secret", a.o.Secret, "error", err)
		return
	}
	a.cluster.secret = true
}

func (a *Advertiser) takeSecret(object any) {
	secret, ok := object.(*corev1.Secret)
	if !ok || secret.Namespace != a.o.Secret.Namespace || secret.Name != a.o.Secret.Name {
		return
	}
	known := make(map[string]string, len(secret.Data))
	for key, value := range secret.Data {
		// Whoever made it with an editor or echo did not mean the end of the line.
		known[key] = strings.TrimRight(string(value), "\r\n")
	}
	a.setPasswords(passwords{there: true, known: known})
}

func (a *Advertiser) setPasswords(p passwords) {
	a.change(func(s *stale) {
		s.plan = s.plan || p.there != a.passwords.there || !maps.Equal(p.known, a.passwords.known)
		a.passwords = p
	})
}

// mostPassword is how many bytes Linux takes (TCP_MD5SIG_MAXKEYLEN).
const mostPassword = 80

// of returns the password of a key, "" if there is none that is of use, and why.
func (p passwords) of(key, secret string) (password, why string) {
	switch password := p.known[key]; {
	case !p.there:
		return "", fmt.Sprintf("its password is not known: there is no Secret %s, or this agent may not read it", secret)
	case password == "":
		return "", fmt.Sprintf("its password is not known: Secret %s has no key %q", secret, key)
	case len(password) > mostPassword:
		return "", fmt.Sprintf("its password, key %q of Secret %s, has %d bytes, and %d is the most for TCP MD5", key, secret, len(password), mostPassword)
	default:
		return password, ""
	}
}

// withheld are the sessions that no password is known for.
func withheld(peers []config.Peer, before []bgp.Session, passwords passwords, secret string) []bgp.Session {
	var all []bgp.Session
	for _, p := range peers {
		if p.PasswordKey == "" {
			continue
		}
		_, why := passwords.of(p.PasswordKey, secret)
		if why == "" {
			continue
		}
		s := bgp.Session{Peer: p.Name, Address: p.Address, ASN: p.ASN, State: bgp.Idle, Since: time.Now(), Reason: why}
		at := slices.IndexFunc(before, func(b bgp.Session) bool { return b.Peer == p.Name })
		if at >= 0 && before[at].State == bgp.Idle {
			s.Since = before[at].Since
		}
		all = append(all, s)
	}
	return all
}
