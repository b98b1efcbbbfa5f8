package main

import "regexp"

// A group is cases that run together, by regular expressions of their texts.
type group struct {
	name        string
	focus, skip []string
	oneNode     bool // Pods come to one node alone
}

// onOneNode is a case for which one client has to come to several of three Pods, though the
// policy keeps it to those of the node that answers: they have to be on that node.
const onOneNode = "[sig-network] LoadBalancers [Feature:LoadBalancer] should be able to switch session affinity for LoadBalancer service with Local traffic policy"

// groups are which cases are run, one group after the other: all that ask for a load
// balancer, and those elsewhere that make a Service of that type, or are for
// externalTrafficPolicy and endpoints that end. With only, those of them that it matches.
func groups(only string) ([]group, error) {
	one := regexp.QuoteMeta(onOneNode)
	spread := group{name: "three-nodes", skip: []string{one}, focus: []string{
		`\[Feature:LoadBalancer\]`,
		`\[sig-network\] Services should complete a service status lifecycle`,
		`\[sig-network\] Services should fail health check node port if there are only terminating endpoints`,
		`\[sig-network\] Services should fallback to .*terminating endpoints when there are no ready endpoints with extern`,
		`\[sig-network\] Services should support externalTrafficPolicy=Local for type=NodePort`,
		`\[sig-network\] Services should serve endpoints on same port and different protocol for internal traffic on Type LoadBalancer`,
		`\[sig-network\] Services should implement NodePort and HealthCheckNodePort correctly when ExternalTrafficPolicy changes`,
		`\[sig-api-machinery\] ResourceQuota should create a ResourceQuota and capture the life of a service`,
		`\[sig-apps\] Deployment should not disrupt a cloud load-balancer's connectivity during rollout`,
	}}
	all := []group{spread, {name: "one-node", focus: []string{one}, oneNode: true}}
	if only == "" {
		return all, nil
	}
	matched, err := regexp.MatchString(only, onOneNode)
	if err != nil {
		return nil, err
	}
	all[0].focus = []string{only}
	if !matched {
		all = all[:1]
	}
	return all, nil
}
