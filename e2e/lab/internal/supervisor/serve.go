package supervisor

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/heraldlb/herald/e2e/lab/internal/control"
)

// farewell is how long the last lines of a failed lab may take to be read.
const farewell = 5 * time.Second

// serveControl answers on the control socket until ctx ends.
func (s *Supervisor) serveControl(ctx context.Context, listener net.Listener) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.status()) })
	mux.HandleFunc("GET /progress", s.serveProgress)
	mux.HandleFunc("GET /kubeconfig", func(w http.ResponseWriter, _ *http.Request) {
		text, err := s.hostKubeconfig()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_, _ = w.Write(text)
	})
	mux.HandleFunc("POST /hosts/{host}/reconnect", func(w http.ResponseWriter, r *http.Request) {
		writeResult(w, s.reconnect(r.PathValue("host")))
	})
	mux.HandleFunc("POST /processes/{host}/{component}/start", func(w http.ResponseWriter, r *http.Request) {
		writeResult(w, s.restart(r.PathValue("host"), r.PathValue("component")))
	})
	mux.HandleFunc("GET /logs", serveLogNames)
	mux.Handle("GET /logs/", http.StripPrefix("/logs", http.FileServer(http.Dir(logDir))))

	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Second}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return ignoreClosed(server.Serve(listener)) })
	group.Go(func() error {
		<-ctx.Done()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
		defer cancel()
		return server.Shutdown(ctx)
	})
	return group.Wait()
}

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (s *Supervisor) status() control.Status {
	status := control.Status{
		Parameters: s.config.Parameters,
		Phase:      control.Starting,
		PID:        s.config.PID,
		Server:     "https://" + s.server.Addr().String(),
		VIPs:       s.vips,
		Pools:      s.plan.Pools,
		Processes:  s.table.status(),
	}
	if s.journal.ended() {
		status.Phase = control.Ready
	}
	for _, host := range s.plan.Hosts {
		status.Hosts = append(status.Hosts, control.Host{
			Name:      host.Name,
			Addresses: host.Addresses(),
			MAC:       host.Links[0].MAC.String(),
			Node:      s.plan.IsNode(host.Name),
		})
	}
	return status
}

func (s *Supervisor) serveProgress(w http.ResponseWriter, r *http.Request) {
	encoder := json.NewEncoder(w)
	// An error here is the reader that went away.
	_ = s.journal.follow(r.Context(), func(line control.Progress) error {
		if err := encoder.Encode(line); err != nil {
			return err
		}
		return http.NewResponseController(w).Flush()
	})
}

func serveLogNames(w http.ResponseWriter, _ *http.Request) {
	names := []string{}
	err := filepath.WalkDir(logDir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			names = append(names, strings.TrimPrefix(path, logDir+"/"))
		}
		return err
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	writeJSON(w, names)
}

func writeResult(w http.ResponseWriter, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
	}
}

func writeJSON(w io.Writer, value any) {
	// An error here is the reader that went away.
	_ = json.NewEncoder(w).Encode(value)
}
