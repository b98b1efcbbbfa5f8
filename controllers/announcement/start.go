package announcement

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// firstPass decides on every address that there is, and only then lets the
// announcer be told: a part of them would withdraw the rest.
func (a *agent) firstPass(ctx context.Context) error {
	if !a.manager.GetCache().WaitForCacheSync(ctx) || !awaitBegun(ctx, a.watched) {
		return nil // ctx ended
	}
	if err := a.awaitNode(ctx); err != nil || ctx.Err() != nil {
		return err
	}
	if err := a.learnCluster(ctx); err != nil || ctx.Err() != nil {
		return err
	}
	if err := a.tellNodes(ctx); err != nil {
		return err
	}
	if err := a.pools.load(ctx); err != nil {
		return err
	}
	addresses, err := a.facts.addresses(ctx)
	if err != nil {
		return err
	}
	for _, addr := range addresses {
		if _, err := a.reconciler.Reconcile(ctx, addr); err != nil {
			return err
		}
	}
	a.client.Synced()
	a.routers.Synced()
	a.synced.Store(true)
	a.log.Info("all addresses decided on", "addresses", len(addresses))
	return nil
}

// awaitBegun waits until the sources miss nothing, and reports whether they do: false if
// ctx ended before. What changes while something is read is to be read again.
func awaitBegun(ctx context.Context, sources []watched) bool {
	for _, w := range sources {
		select {
		case <-w.begun:
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// awaitNode waits until there is a Node of the agent's name, or until ctx ends.
// A name that is mistaken is that of no eligible node, and the announcer that was
// told so would hand over all its addresses.
func (a *agent) awaitNode(ctx context.Context) error {
	var node corev1.Node
	err := a.manager.GetCache().Get(ctx, client.ObjectKey{Name: a.node}, &node)
	switch {
	case apierrors.IsNotFound(err):
		a.log.Error(err, "no Node has the agent's name, see --node-name: the announcer is told nothing until one does", "node", a.node)
	case err != nil:
		return fmt.Errorf("read Node %s: %w", a.node, err)
	}
	informer, err := a.manager.GetCache().GetInformer(ctx, &node)
	if err != nil {
		return fmt.Errorf("watch Nodes: %w", err)
	}
	there, found := context.WithCancel(ctx)
	defer found()
	// The handler is told of the Nodes that are there already, too.
	handler, err := informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{AddFunc: func(object any) {
		if n, ok := object.(*corev1.Node); ok && n.Name == a.node {
			found()
		}
	}})
	if err != nil {
		return fmt.Errorf("watch Nodes: %w", err)
	}
	<-there.Done()
	a.facts.nodesChanged()
	a.known.Store(ctx.Err() == nil)
	return informer.RemoveEventHandler(handler)
}
