// Package settings reads the flags and the environment that say what a manifest is to
// run: kube-vip's, so that its users' command lines and manifests go on working, and
// Herald's own. It is pure: nothing here looks at a host or a cluster.
package settings

// Outcome is what becomes of a setting.
type Outcome int

const (
	// Own is for one that kube-vip has nothing like.
	Own Outcome = iota
	// Same is for one that does what it does with kube-vip.
	Same
	// Differs is for what Herald does in its own way, and says so.
	Differs
	// Tuning is for what has nothing to tune in Herald, which says so.
	Tuning
	// Missing is for what Herald cannot do. To ask for it is an error.
	Missing
)

func (o Outcome) String() string {
	switch o {
	case Own:
		return "Herald's own"
	case Same:
		return "same"
	case Differs:
		return "differs"
	case Tuning:
		return "no effect"
	case Missing:
		return "not there"
	}
	return "unknown"
}

// Kind is the type of a setting's value.
type Kind int

const (
	// Text is anything.
	Text Kind = iota
	// Switch is true or false.
	Switch
	// Number is a whole one.
	Number
	// List is several texts, separated by commas.
	List
)

// Setting is one flag, one environment variable, or both.
type Setting struct {
	Flag    string // "": none
	Env     string // "": none
	Kind    Kind
	Default string // kube-vip's, but for Own and image
	Outcome Outcome
	// Text says what it does in Herald, or what Herald does instead.
	Text string
}

// Name is that of the flag, or of the environment variable that has none.
func (s Setting) Name() string {
	if s.Flag != "" {
		return s.Flag
	}
	return s.Env
}

// All returns every setting, in the order of kube-vip's documentation.
func All() []Setting {
	var all []Setting
	for _, group := range [][]Setting{address(), modes(), election(), balancer(), BGP(), otherBGP(), health(), routes(), services(), process(), own()} {
		all = append(all, group...)
	}
	return all
}

func address() []Setting {
	return []Setting{
		{"interface", "vip_interface", Text, "", Same, "interface of the VIP; else the one whose subnet holds it, or the default route's"},
		{"serviceInterface", "vip_servicesinterface", Text, "", Differs, "the pool says which interface: interface-global or interface-<namespace> in the ConfigMap"},
		{"allowInterfaceNotUp", "vip_allow_interface_not_up", Switch, "false", Tuning, "Herald waits for an interface that is down"},
		{"loInterfaceGlobalScope", "vip_interfaceloglobal", Switch, "false", Tuning, "the kernel takes the VIP for no source of connections, on whichever interface"},
		{"vip", "vip_address", List, "", Same, "the VIP: an address, one of each family, or a DNS name; as --address, which wins"},
		{"address", "address", List, "", Same, "the VIP: an address, one of each family, or a DNS name"},
		{"vipSubnet", "vip_subnet", Text, "", Differs, "the VIP is always a /32 or a /128"},
		{"port", "port", Number, "6443", Same, "port of the API servers"},
		{"nodeName", "vip_nodename", Text, "", Same, "name of the node; else that of the Node that the Pod is on"},
		{"ddns", "vip_ddns", Switch, "false", Missing, "the VIP does not come from DHCP; give --vip a DNS name, or an address"},
		{"dnsMode", "dns_mode", Text, "first", Differs, "of a DNS name Herald takes one address of each family"},
		{"dhcpMode", "dhcp_mode", Text, "", Tuning, "there is no DHCP"},
		{"dhcpBackoffAttempts", "dhcp_backoff_attempts", Number, "3", Tuning, "there is no DHCP"},
		{"", "vip_skipdad", Switch, "false", Tuning, "the VIP is probed for before it is first taken, and announced at once"},
	}
}

func modes() []Setting {
	return []Setting{
		{"arp", "vip_arp", Switch, "false", Same, "by ARP and NDP, on or off: it is so without --bgp"},
		{"bgp", "bgp_enable", Switch, "false", Same, "by BGP: every node whose API server is ready has the VIP, and tells its routers; so do nodes of Services' addresses, but for pools that say otherwise"},
		{"table", "vip_routingtable", Switch, "false", Missing, "there is no routing table mode; by ARP, NDP and BGP it is"},
		{"wireguard", "vip_wireguard", Switch, "false", Missing, "there is no WireGuard mode"},
		{"zebra", "zebra_enable", Switch, "false", Missing, "there is no Zebra"},
		{"controlplane", "cp_enable", Switch, "false", Same, "hold the control plane's VIP"},
		{"autodetectcp", "cp_detect", Switch, "false", Tuning, "the API server that counts is always this host's"},
		{"services", "svc_enable", Switch, "false", Same, "give Services of type LoadBalancer their addresses: allocate them, too"},
		{"namespace", "cp_namespace", Text, "kube-system", Same, "namespace of the Pods and of the Lease"},
		{"", "svc_namespace", Text, "", Missing, "Herald serves the Services of all namespaces"},
		{"", "kubernetes_addr", Text, "", Tuning, "the API server that counts is always this host's"},
		{"", "vip_singlenode", Switch, "false", Tuning, "a node that hears no other holds the VIP"},
		{"", "vip_startleader", Switch, "false", Tuning, "who was there first holds the VIP"},
	}
}

func election() []Setting {
	const lease = "goes with --elector lease"
	const etcd = "goes with an election by etcd, which is not there"
	return []Setting{
		{"leaderElection", "vip_leaderelection", Switch, "false", Differs, "ownership is settled by heartbeats; --elector lease is kube-vip's way"},
		{"leaderElectionType", "", Text, "kubernetes", Same, "kubernetes, when given, is --elector lease; etcd is not there: raft needs no server"},
		{"leaseName", "vip_leasename", Text, "plndr-cp-lock", Same, lease},
		{"leaseDuration", "vip_leaseduration", Number, "15", Same, lease + "; in seconds"},
		{"leaseRenewDuration", "vip_renewdeadline", Number, "10", Same, lease + "; in seconds"},
		{"leaseRetry", "vip_retryperiod", Number, "2", Same, lease + "; in seconds"},
		{"", "vip_leaseannotations", Text, "", Tuning, "the Lease has none"},
		{"servicesElection", "svc_election", Switch, "false", Differs, "each address has an owner of its own, settled by heartbeats, without a Lease"},
		{"servicesLeaseName", "svc_leasename", Text, "plndr-svcs-lock", Tuning, "Services take no Lease"},
		{"perServiceElectionOnDemand", "per_service_election_on_demand", Switch, "false", Tuning, "each address has an owner of its own"},
		{"preserveVipOnLeadershipLoss", "vip_preserve_on_leadership_loss", Switch, "false", Differs, "a VIP that is lost comes off at once; an API server that is away costs none with heartbeat or raft"},
		{"loseLeadership", "vip_loseleadership", Switch, "false", Differs, "a holder whose interface is down always gives the VIP up"},
		{"loseLeadershiptTimeoutSeconds", "vip_loseleadership_timeout_seconds", Number, "30", Tuning, "a holder whose interface is down gives the VIP up at once"},
		{"etcdCACert", "", Text, "", Tuning, etcd},
		{"etcdCert", "", Text, "", Tuning, etcd},
		{"etcdKey", "", Text, "", Tuning, etcd},
		{"etcdEndpoints", "", List, "", Tuning, etcd},
	}
}

func balancer() []Setting {
	return []Setting{
		{"enableLoadBalancer", "lb_enable", Switch, "false", Same, "the VIP's holder shares connections out to all healthy API servers, by nftables"},
		{"lbPort", "lb_port", Number, "6443", Same, "port at the VIP"},
		{"lbForwardingMethod", "lb_fwdmethod", Text, "local", Differs, "nftables rewrites the destination, and the source only where the way back needs it"},
		{"", "iptables_backend", Text, "", Tuning, "Herald speaks to nftables itself"},
		{"", "backend_health_check_interval", Number, "0", Differs, "--health-period is the time between two looks at an API server"},
	}
}

// BGP returns those of the speaker of BGP.
func BGP() []Setting {
	const text = "with --bgp: "
	return []Setting{
		{"bgpAttachIPToInterface", "bgp_attach_ip_to_interface", Switch, "false", Tuning, "the address of a Service is on no interface"},
		{"bgpRouterID", "bgp_routerid", Text, "", Same, text + "the node's BGP identifier; else its IPv4 address"},
		{"", "bgp_routerinterface", Text, "", Tuning, "the BGP identifier is the node's IPv4 address"},
		{"sourceIF", "bgp_sourceif", Text, "", Same, text + "the interface of sessions"},
		{"sourceIP", "bgp_sourceip", Text, "", Same, text + "the node's end of sessions"},
		{"localAS", "bgp_as", Number, "65000", Same, text + "the nodes' AS"},
		{"bgpHoldTimer", "bgp_hold_time", Number, "30", Same, text + "hold time, in seconds"},
		{"bgpKeepAliveInterval", "bgp_keepalive_interval", Number, "10", Same, text + "time between keepalives, in seconds"},
		{"peerAddress", "bgp_peeraddress", Text, "", Same, text + "a router, beside those of --bgppeers"},
		{"peerAS", "bgp_peeras", Number, "65000", Same, text + "its AS"},
		{"peerPass", "bgp_peerpass", Text, "", Same, text + "its password (TCP MD5)"},
		{"multihop", "bgp_multihop", Switch, "false", Same, text + "it is not on a link"},
		{"bgppeers", "bgp_peers", List, "", Same, text + "routers, address:AS:password:multihop:port:mpbgp:bfd; what ends it may be left out"},
		{"", "mpbgp_nexthop", Text, "", Same, text + "fixed: the next hops are those of mpbgp_ipv4 and mpbgp_ipv6"},
		{"", "mpbgp_ipv4", Text, "", Same, text + "next hop of IPv4 routes on a session by IPv6"},
		{"", "mpbgp_ipv6", Text, "", Same, text + "next hop of IPv6 routes on a session by IPv4"},
	}
}

// zebra and the annotations of Nodes are other ways to say what BGP is to do.
func otherBGP() []Setting {
	return []Setting{
		{"annotations", "annotation", Text, "", Missing, "routers are not read from annotations of kube-vip's names: give --bgppeers, or annotate Nodes with heraldlb.io/bgp-*"},
		{"zebraUrl", "zebra_url", Text, "unix:/var/run/frr/zserv.api", Tuning, "goes with --zebra"},
		{"zebraVersion", "zebra_version", Number, "6", Tuning, "goes with --zebra"},
		{"zebraSoftwareName", "zebra_software_name", Text, "frr8.3", Tuning, "goes with --zebra"},
	}
}

func health() []Setting {
	return []Setting{
		{"controlPlaneHealthCheckAddress", "control_plane_health_check_address", Text, "", Same, "URL of the API server's health; Herald looks at it in any case, by default at https://localhost:PORT/readyz"},
		{"controlPlaneHealthCheckPeriodSeconds", "control_plane_health_check_period_seconds", Number, "5", Same, "time between two looks; Herald's own default is 500 ms"},
		{"controlPlaneHealthCheckTimeoutSeconds", "control_plane_health_check_timeout_seconds", Number, "3", Same, "time that a look may take; Herald's own default is 1 s"},
		{"controlPlaneHealthCheckFailureThreshold", "control_plane_health_check_failure_threshold", Number, "3", Same, "failures that make an API server unready; Herald's own default is 2"},
		{"controlPlaneHealthCheckCAPath", "control_plane_health_check_ca_path", Text, "", Same, "certificate authority of the API server"},
	}
}

func routes() []Setting {
	const text = "goes with --table"
	return []Setting{
		{"tableID", "vip_routingtableid", Number, "198", Tuning, text},
		{"tableType", "vip_routingtabletype", Number, "1", Tuning, text},
		{"routingProtocol", "vip_routingprotocol", Number, "248", Tuning, text},
		{"cleanRoutingTable", "vip_cleanroutingtable", Switch, "false", Tuning, text},
	}
}

func services() []Setting {
	const egress = "there is no egress"
	return []Setting{
		{"lbClassOnly", "lb_class_only", Switch, "false", Same, "leave Services without a class to others"},
		{"lbClassName", "lb_class_name", Text, "kube-vip.io/kube-vip-class", Same, "spec.loadBalancerClass to serve, beside heraldlb.io/herald"},
		{"lbClassNameLegacyHandling", "lb_class_legacy_handling", Switch, "true", Tuning, "--lbClassOnly alone says whether Services without a class are served"},
		{"onlyAllowTrafficServicePorts", "enable_service_security", Switch, "false", Differs, "the address of a Service is on no interface: nothing but its ports ever answers"},
		{"enableNodeLabeling", "enable_node_labeling", Switch, "false", Differs, "no node is labelled: herald status and the Service's conditions say who answers"},
		{"disableServiceUpdates", "disable_service_updates", Switch, "false", Missing, "a Service's address is in its status: that is how its nodes know of it"},
		{"enableEndpoints", "enable_endpoints", Switch, "false", Tuning, "Herald reads EndpointSlices"},
		{"mirrorDestInterface", "mirror_dest_interface", Text, "", Missing, "traffic is not mirrored"},
		{"debounceTime", "debounce_time", Text, "0s", Tuning, "there is nothing to debounce"},
		{"egressWithNftables", "egress_withnftables", Switch, "true", Tuning, egress},
		{"", "egress_podcidr", Text, "", Tuning, egress},
		{"", "egress_servicecidr", Text, "", Tuning, egress},
		{"", "egress_enableinternalsnat", Switch, "false", Tuning, egress},
		{"", "egress_clean", Switch, "false", Tuning, egress},
		{"", "enable_upnp", Switch, "false", Differs, "the annotation on a Service is enough: docs/upnp.md"},
		{"", "vip_arpRate", Number, "3000", Differs, "the VIP is announced at once, thrice more in the first seconds, then once a minute"},
		{"instanceName", "instance_name", Text, "", Tuning, "it told apart tables of egress"},
	}
}

func process() []Setting {
	return []Setting{
		{"log", "vip_loglevel", Number, "0", Same, "below 0, or above 4 as of old: debug"},
		{"prometheusHTTPServer", "prometheus_server", Text, ":2112", Differs, "address of the agent's metrics (default :9643), over TLS and for whom the API server lets read them"},
		{"healthCheckPort", "health_check_port", Number, "0", Same, "port of the agent's health (default 9644)"},
		{"k8sConfigPath", "k8s_config_file", Text, "/etc/kubernetes/admin.conf", Same, "kubeconfig of the host, for what talks to the API"},
		{"config-file", "config_file", Text, "", Missing, "there is no such file: flags or environment"},
		{"inCluster", "", Switch, "false", Same, "a DaemonSet uses its ServiceAccount, also without this, unless --k8sConfigPath is given"},
		{"image", "", Text, "", Same, "image of Herald; without a tag, that of this program's version"},
	}
}

func own() []Setting {
	return []Setting{
		{"elector", "herald_elector", Text, "heartbeat", Own, "who chooses the VIP's holder: heartbeat, raft or lease; with --bgp it is bgp: nobody does"},
		{"distribution", "herald_distribution", Text, "kubeadm", Own, "kubeadm, k3s or rke2: where the host has certificates and kubeconfig"},
		{"lb-backend", "herald_lb_backend", List, "", Own, "with --enableLoadBalancer: an API server, ADDRESS or ADDRESS:PORT; repeatable. Else as the API says"},
		{"lb-source", "herald_lb_source", Text, "nodes", Own, "where the API has the API servers: nodes (those of the control plane) or endpoints (the Service kubernetes)"},
		{"health-url", "herald_health_url", Text, "", Own, "as --controlPlaneHealthCheckAddress, before it"},
		{"health-ca", "herald_health_ca", Text, "", Own, "as --controlPlaneHealthCheckCAPath, before it"},
		{"health-cert", "herald_health_cert", Text, "", Own, "client certificate for an API server that answers no stranger"},
		{"health-key", "herald_health_key", Text, "", Own, "its key"},
		{"health-period", "herald_health_period", Text, "", Own, "time between two looks at an API server, such as 200ms"},
		{"health-timeout", "herald_health_timeout", Text, "", Own, "time that a look may take, such as 1s"},
		{"health-failures", "herald_health_failures", Number, "0", Own, "failures in a row that make an API server unready"},
		{"raft-peers", "herald_raft_peers", List, "", Own, "with --elector raft: every node of the control plane, NAME=HOST:PORT"},
		{"raft-join", "herald_raft_join", Switch, "false", Own, "with --elector raft: the others have begun; wait to be taken in"},
		{"raft-address", "herald_raft_address", Text, "", Own, "with --elector raft: where to listen, HOST:PORT"},
		{"raft-dir", "herald_raft_dir", Text, "", Own, "with --elector raft: directory of the host for its state; else in memory"},
		{"raft-ca", "herald_raft_ca", Text, "", Own, "with --elector raft: certificate authority of the peers (default: etcd's)"},
		{"raft-cert", "herald_raft_cert", Text, "", Own, "with --elector raft: certificate (default: etcd's for its peers)"},
		{"raft-key", "herald_raft_key", Text, "", Own, "with --elector raft: its key"},
		{"raft-heartbeat", "herald_raft_heartbeat", Text, "", Own, "with --elector raft: patience with a silent leader, the same on all nodes, such as 500ms (default 300ms)"},
		{"heartbeat-key-dir", "herald_heartbeat_key_dir", Text, "", Own, "directory of the host with the keys of heartbeats; a DaemonSet takes the Secret herald-heartbeat"},
		{"config-map", "herald_config_map", Text, "", Own, "with --services: ConfigMap of the pools, NAMESPACE/NAME (default: herald in --namespace)"},
		{"log-level", "herald_log_level", Text, "", Own, "as --log, before it: debug, info, warn or error"},
	}
}
