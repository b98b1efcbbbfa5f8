package kubelet

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/heraldlb/herald/e2e/lab/internal/tail"
)

// port is where the API server asks for logs.
const port = 10250

// serveLogs answers the API server's requests behind kubectl logs, without
// following. Everyone in the lab may ask.
func (k *Kubelet) serveLogs(ctx context.Context) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", func(w http.ResponseWriter, r *http.Request) {
		lines, err := strconv.Atoi(r.URL.Query().Get("tailLines"))
		if err != nil {
			lines = math.MaxInt // not asked for
		}
		text, err := tail.Lines(k.logFile(r.PathValue("pod"), r.PathValue("container")), lines)
		if err != nil && !errors.Is(err, os.ErrNotExist) { // stand-in servers write none
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_, _ = w.Write(text)
	})
	certificate, err := tls.LoadX509KeyPair(k.config.Certificate+".crt", k.config.Certificate+".key")
	if err != nil {
		return err
	}
	server := &http.Server{
		Addr:              fmt.Sprintf(":%d", port),
		Handler:           mux,
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12},
		ReadHeaderTimeout: time.Minute,
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.ListenAndServeTLS("", ""); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return ctx.Err()
}

func (k *Kubelet) logFile(pod, container string) string {
	return filepath.Join(k.config.Logs, pod+"_"+container+".log")
}
