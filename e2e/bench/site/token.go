package site

import (
	"bytes"
	"context"
	"fmt"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// WriteKubeconfig writes a service account's kubeconfig to a file in the lab, for
// a process on any of its hosts.
func (s *Site) WriteKubeconfig(ctx context.Context, namespace, account, file string) error {
	token, err := s.API.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, account, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("token of %s/%s: %w", namespace, account, err)
	}
	config := api.NewConfig()
	config.Clusters["lab"] = &api.Cluster{
		Server:                   fmt.Sprintf("https://%s:6443", s.Cluster.Host(echoHost).Addresses[0]),
		CertificateAuthorityData: s.Config.CAData,
	}
	config.AuthInfos["account"] = &api.AuthInfo{Token: token.Status.Token}
	config.Contexts["lab"] = &api.Context{Cluster: "lab", AuthInfo: "account"}
	config.CurrentContext = "lab"
	text, err := clientcmd.Write(*config)
	if err != nil {
		return err
	}
	cmd := s.Hosts.Command(ctx, echoHost, "sh", "-c", "umask 077; cat >"+file)
	cmd.Stdin = bytes.NewReader(text)
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", file, err, output)
	}
	return nil
}
