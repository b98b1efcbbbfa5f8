package status

import (
	"encoding/json"
	"net/http"

	"github.com/heraldlb/herald/announcer"
	"github.com/heraldlb/herald/controllers/advertisement"
)

// Handler serves the view that latest returns, as the JSON that Gather reads;
// without one it is 503.
func Handler(latest func() (announcer.View, bool)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		view, ok := latest()
		if !ok {
			http.Error(w, "the announcer is away", http.StatusServiceUnavailable)
			return
		}
		serve(w, view)
	})
}

// HandlerBGP serves what latest returns, as the JSON that Gather reads.
func HandlerBGP(latest func() advertisement.Report) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { serve(w, latest()) })
}

func serve(w http.ResponseWriter, object any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(object) // whoever asked is gone
}
