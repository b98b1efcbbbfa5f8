package pki

import (
	"fmt"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// Kubeconfig returns a kubeconfig, whole in itself, for a user of a server.
func (a *Authority) Kubeconfig(server, user string, credentials Pair) ([]byte, error) {
	config := api.NewConfig()
	config.Clusters["lab"] = &api.Cluster{Server: server, CertificateAuthorityData: a.Public}
	config.AuthInfos[user] = &api.AuthInfo{
		ClientCertificateData: credentials.Public,
		ClientKeyData:         credentials.Private,
	}
	config.Contexts["lab"] = &api.Context{Cluster: "lab", AuthInfo: user}
	config.CurrentContext = "lab"
	text, err := clientcmd.Write(*config)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig of %s: %w", user, err)
	}
	return text, nil
}
