package supervisor

import "path/filepath"

// The lab's state: in memory, and seen only from inside.
const (
	stateDir     = "/run/lab"
	homeDir      = stateDir + "/home"
	temporaryDir = stateDir + "/tmp"
	logDir       = stateDir + "/log"
	pkiDir       = stateDir + "/pki"
	etcdDir      = stateDir + "/etcd"
)

func logFile(host, component string) string {
	return filepath.Join(logDir, host, component+".log")
}

func credential(name string) string   { return filepath.Join(pkiDir, name) }
func kubeconfigOf(name string) string { return credential(name + ".kubeconfig") }
