package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
)

// ErrFailed says that a lab did not come up; the text around it says why.
var ErrFailed = errors.New("the lab did not come up")

// ErrVanished says that a lab ended without a word while it came up.
var ErrVanished = errors.New("the lab ended while it came up")

// Client asks a running lab.
type Client struct{ http http.Client }

// NewClient returns a client for the lab of a checkout; it connects at the
// first question.
func NewClient(root string) *Client {
	return &Client{http: http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dial(ctx, root)
		},
	}}}
}

// Status returns the lab's status; ErrDown where there is no lab.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var status Status
	text, err := c.get(ctx, "status")
	if err != nil {
		return status, err
	}
	return status, json.Unmarshal(text, &status)
}

// Kubeconfig returns an administrator's kubeconfig for use on this machine.
func (c *Client) Kubeconfig(ctx context.Context) ([]byte, error) { return c.get(ctx, "kubeconfig") }

// Log returns the log of one process by its name, as Logs lists it.
func (c *Client) Log(ctx context.Context, name string) ([]byte, error) {
	return c.get(ctx, "logs/"+name)
}

// Logs returns the names of all logs.
func (c *Client) Logs(ctx context.Context) ([]string, error) {
	text, err := c.get(ctx, "logs")
	if err != nil {
		return nil, err
	}
	var names []string
	return names, json.Unmarshal(text, &names)
}

// Follow calls show with each line of progress from the start on, until the
// lab is ready. The error is ErrFailed or ErrVanished where it did not come up.
func (c *Client) Follow(ctx context.Context, show func(Progress)) error {
	response, err := c.open(ctx, http.MethodGet, "progress")
	if err != nil {
		return err
	}
	defer response.Body.Close() //nolint:errcheck // read only
	decoder := json.NewDecoder(response.Body)
	for {
		var progress Progress
		err := decoder.Decode(&progress)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrVanished, err)
		}
		if progress.Failed {
			return fmt.Errorf("%w: %s", ErrFailed, progress.Text)
		}
		show(progress)
	}
}

// Reconnect sets a host's links up and configures them.
func (c *Client) Reconnect(ctx context.Context, host string) error {
	return c.post(ctx, "hosts/"+host+"/reconnect")
}

// Start starts a process that has ended.
func (c *Client) Start(ctx context.Context, host, component string) error {
	return c.post(ctx, "processes/"+host+"/"+component+"/start")
}

func (c *Client) post(ctx context.Context, path string) error {
	response, err := c.open(ctx, http.MethodPost, path)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

func (c *Client) get(ctx context.Context, path string) ([]byte, error) {
	response, err := c.open(ctx, http.MethodGet, path)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close() //nolint:errcheck // read only
	return io.ReadAll(response.Body)
}

func (c *Client) open(ctx context.Context, method, path string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://lab/"+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := c.http.Do(request)
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return nil, wrapped.Err // the URL would say nothing
	}
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		text, err := io.ReadAll(response.Body)
		return nil, errors.Join(fmt.Errorf("lab: %s: %s", path, text), err, response.Body.Close())
	}
	return response, nil
}
