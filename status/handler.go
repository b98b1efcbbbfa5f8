package status

import (
	"encoding/json"
	"net/http"

	"github.com/heraldlb/herald/announcer"
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
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(view) // whoever asked is gone
	})
}
