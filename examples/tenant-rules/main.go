// Command tenant-rules is a server whose tenants bring rules of their own:
//
//	go run ./examples/tenant-rules
//
//	curl -T examples/tenant-rules/testdata/library.yaml localhost:8080/tenants/library/rules
//	curl -d '{"name":"ref","value":"LIB-004711"}' localhost:8080/tenants/library/classify
//
// The rules are text. The server compiles them to a WebAssembly module of kilobytes and
// runs it in a sandbox: it reaches nothing but a memory of its own, and a call that takes
// too long is ended. What one tenant uploads does not change what another gets.
//
// Who asks is taken from the path here; in a server of yours it comes from its
// authentication.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"regexp"
	"sync"
	"time"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/privacy/policy"
	"github.com/privetdev/privet/wasm/emit"
	"github.com/privetdev/privet/wasm/host"
)

// What a tenant may use.
const (
	maxRules   = 64 << 10  // bytes of YAML
	maxModule  = 256 << 10 // bytes of the module made of it
	maxInput   = 64 << 10  // bytes of a field
	maxMemory  = 16 << 20  // bytes of one instance
	maxTenants = 1000
)

// limits are how long things may take.
type limits struct{ compile, classify time.Duration }

func main() {
	address := flag.String("listen", "localhost:8080", "where to listen; port 0 takes one that is free")
	flag.Parse()
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on http://%s\n", listener.Addr())
	server := &http.Server{Handler: newServer(limits{2 * time.Second, 100 * time.Millisecond}), ReadTimeout: 10 * time.Second}
	log.Fatal(server.Serve(listener))
}

// A server holds the rules of its tenants.
type server struct {
	limits
	compiling chan struct{} // a place for each compilation at once
	mu        sync.RWMutex
	tenants   map[string]*host.Classifier
}

func newServer(l limits) http.Handler {
	s := &server{limits: l, compiling: make(chan struct{}, 2), tenants: map[string]*host.Classifier{}}
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /tenants/{tenant}/rules", s.upload)
	mux.HandleFunc("POST /tenants/{tenant}/classify", s.classify)
	return mux
}

var tenantName = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)

// upload puts new rules in the place of a tenant's. If they are wrong the old ones stay.
func (s *server) upload(w http.ResponseWriter, r *http.Request) {
	tenant := r.PathValue("tenant")
	if !tenantName.MatchString(tenant) {
		refuse(w, http.StatusNotFound, "a tenant is named by lower-case letters, digits and dashes")
		return
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRules))
	if err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("rules are at most %d bytes", maxRules))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.compile)
	defer cancel()
	module, err := s.make(ctx, text)
	var faults *policy.Error
	switch {
	case errors.As(err, &faults):
		answer(w, http.StatusUnprocessableEntity, map[string]any{"problems": problems(faults)})
		return
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		refuse(w, http.StatusServiceUnavailable, "these rules take too long to compile; write fewer or simpler ones")
		return
	case err != nil:
		refuse(w, http.StatusUnprocessableEntity, err.Error())
		return
	}
	// From here on the rules are code in a sandbox.
	rules, err := host.OpenClassifier(ctx, module, host.WithMemoryLimit(maxMemory), host.WithInstances(2), host.WithInterrupt())
	if err != nil {
		refuse(w, http.StatusUnprocessableEntity, err.Error())
		return
	}
	about := rules.Describe()
	s.mu.Lock()
	old := s.tenants[tenant]
	full := old == nil && len(s.tenants) >= maxTenants
	if !full {
		s.tenants[tenant] = rules
	}
	s.mu.Unlock()
	if full {
		old = rules
	}
	if old != nil {
		_ = old.Close(context.WithoutCancel(ctx)) // waits for calls that are running
	}
	if full {
		refuse(w, http.StatusInsufficientStorage, "this server has no room for another tenant")
		return
	}
	answer(w, http.StatusOK, map[string]any{"policy": about.Name, "version": about.Version, "rules": len(about.Rules), "detectors": len(about.Detectors), "module_bytes": len(module)})
}

var errModule = fmt.Errorf("these rules make a module of more than %d kB; write fewer, or let the server look for what is built in", maxModule>>10)

// make compiles rules to a module, as one of few at once. A compilation cannot be
// interrupted, so one that takes too long keeps its place until it ends: nobody can make
// the server run more of them than it has places.
func (s *server) make(ctx context.Context, text []byte) ([]byte, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case s.compiling <- struct{}{}:
	}
	type made struct {
		module []byte
		err    error
	}
	done := make(chan made, 1)
	go func() {
		defer func() { <-s.compiling }()
		// Under the name of a pack, a policy may extend what is built in and other packs,
		// and no file of the server.
		bundle, err := policy.Compile("pack:upload", text)
		if err != nil {
			done <- made{nil, err}
			return
		}
		module, err := emit.Module(bundle.Bytes(), emit.Options{MaxInput: maxInput})
		if err == nil && len(module) > maxModule {
			module, err = nil, errModule
		}
		done <- made{module, err}
	}()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case m := <-done:
		return m.module, m.err
	}
}

// A problem is one fault of the rules, with its place.
type problem struct {
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Problem string `json:"problem"`
	Mend    string `json:"mend,omitempty"`
	Snippet string `json:"snippet,omitempty"`
}

func problems(faults *policy.Error) []problem {
	var out []problem
	for _, p := range faults.Problems {
		out = append(out, problem{p.Line, p.Column, p.Problem, p.Mend, p.Snippet})
	}
	return out
}

// classify labels one field by the rules of a tenant.
func (s *server) classify(w http.ResponseWriter, r *http.Request) {
	var f classify.Field
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 2*maxInput))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&f); err != nil {
		refuse(w, http.StatusBadRequest, "a field is one JSON object with any of name, path, type, tags, source, description, value, context") // the error may quote it
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.limits.classify)
	defer cancel()
	var labels []classify.Label
	err := host.ErrClosed
	for errors.Is(err, host.ErrClosed) { // replaced between two lines
		s.mu.RLock()
		rules := s.tenants[r.PathValue("tenant")]
		s.mu.RUnlock()
		if rules == nil {
			refuse(w, http.StatusNotFound, "this tenant has no rules; upload some")
			return
		}
		labels, err = rules.Field(ctx, f)
	}
	var refused *host.Error
	switch {
	case errors.As(err, &refused) && refused.Code == "TOO_LARGE":
		refuse(w, http.StatusRequestEntityTooLarge, refused.Message)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		refuse(w, http.StatusServiceUnavailable, "the rules took too long; send less at once")
	case err != nil:
		refuse(w, http.StatusInternalServerError, err.Error()) // holds nothing of the field
	default:
		answer(w, http.StatusOK, map[string]any{"labels": append([]classify.Label{}, labels...)})
	}
}

func refuse(w http.ResponseWriter, status int, why string) {
	answer(w, status, map[string]string{"error": why})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(body)
}
