package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/privacy/policy"
	"github.com/privetdev/privet/privacy/pseudonym"
	"github.com/privetdev/privet/wasm/emit"
	"github.com/privetdev/privet/wasm/host"
)

// A guest is the WebAssembly module that tests are put to.
type guest struct{ module *host.Module }

// A guestCase is what became of one test in the module.
type guestCase struct {
	problem string // empty: the answer is that of the Go packages, byte for byte
}

// maxModule is how large a module may be: several times what one is.
const maxModule = 64 << 20

func openGuest(ctx context.Context, flag string) (*guest, error) {
	const build = "build one with make wasm"
	path := moduleFile(flag)
	if path == "" {
		return nil, mended("which WebAssembly module?", "name it with --wasm-module; "+build)
	}
	if err := regularFile("module", path, "name the .wasm file in it"); err != nil {
		return nil, err
	}
	if info, err := os.Stat(path); err == nil && info.Size() > maxModule {
		return nil, mended("the module "+path+" is larger than "+size(maxModule), "is it the right file?")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the module %s: %s", path, fileProblem(err))
	}
	m, err := host.Open(ctx, data)
	switch {
	case errors.Is(err, host.ErrNotModule):
		return nil, mended(path+" is not a privet module", build)
	case errors.Is(err, host.ErrABI):
		return nil, mended("the module "+path+" has another version of the interface", "use the one that came with this command, or "+build)
	case err != nil:
		return nil, err
	}
	return &guest{m}, nil
}

func (g *guest) close(ctx context.Context) { _ = g.module.Close(ctx) }

// ask puts every test of a file to the module. The second result says why it
// could not be asked at all.
func (g *guest) ask(ctx context.Context, r *policy.Report) ([]guestCase, string) {
	guard, err := g.module.Guard(ctx, r.Bundle.Bytes(), secretsFor(r.Cases)...)
	if err != nil {
		return nil, "the module does not open the file: " + hostProblem(err)
	}
	defer func() { _ = guard.Close(ctx) }()
	out := make([]guestCase, len(r.Cases))
	for i := range r.Cases {
		c := &r.Cases[i]
		op, known := g.module.Info().Ops[c.Op]
		if !known {
			out[i].problem = "the module does not know the operation " + c.Op
			continue
		}
		answer, _, err := guard.Call(ctx, op, c.Request)
		var refusal *host.Error
		refused := errors.As(err, &refusal)
		if refused {
			answer = refusal.JSON
		}
		switch {
		case err != nil && !refused:
			out[i].problem = "the module gives no answer: " + hostProblem(err)
		case refused != c.Refused || !bytes.Equal(answer, c.Answer):
			out[i].problem = "the module answers differently: " + difference(c, answer, refused)
		}
	}
	return out, ""
}

// askClassifier puts the fields of a file's cases to the classifier module that is made
// of the file, and compares the labels. The number is how many fields there were; the text
// says why it could not be asked at all. What differs already stays as it is.
func askClassifier(ctx context.Context, r *policy.Report, cases []guestCase) (int, string) {
	module, err := emit.Module(r.Bundle.Bytes(), emit.Options{})
	if err != nil {
		return 0, "no classifier module can be made of the file: " + err.Error()
	}
	c, err := host.OpenClassifier(ctx, module, host.WithInstances(1))
	if err != nil {
		return 0, "its classifier module does not start: " + err.Error()
	}
	defer func() { _ = c.Close(ctx) }()
	asked := 0
	for i := range r.Cases {
		k := &r.Cases[i]
		var field classify.Field
		var want struct{ Labels []classify.Label }
		if k.Op != "classify" || k.Refused || json.Unmarshal(k.Request, &field) != nil || json.Unmarshal(k.Answer, &want) != nil {
			continue
		}
		asked++
		got, err := c.Field(ctx, field)
		switch {
		case cases[i].problem != "":
		case err != nil:
			cases[i].problem = "the classifier module gives no answer: " + hostProblem(err)
		case !slices.EqualFunc(want.Labels, got, equalLabels):
			cases[i].problem = fmt.Sprintf("the classifier module answers differently: %s there, %d here", plural(len(got), "label"), len(want.Labels))
		}
	}
	return asked, ""
}

func equalLabels(a, b classify.Label) bool {
	return a.Category == b.Category && a.Confidence == b.Confidence && a.Rule == b.Rule && a.Detector == b.Detector && a.ISO19944 == b.ISO19944 && a.Qualifier == b.Qualifier &&
		slices.Equal(a.Spans, b.Spans)
}

// hostProblem is an error of the host without its package's name.
func hostProblem(err error) string {
	var refusal *host.Error
	if errors.As(err, &refusal) {
		return mended(refusal.Code+", "+refusal.Message, refusal.Mend).Error()
	}
	return err.Error()
}

// difference says where two answers part, and nothing of what they say.
func difference(c *policy.Case, answer []byte, refused bool) string {
	switch {
	case refused && !c.Refused:
		return c.Op + " is refused there and answered here"
	case c.Refused && !refused:
		return c.Op + " is answered there and refused here"
	}
	at := 0
	for at < len(answer) && at < len(c.Answer) && answer[at] == c.Answer[at] {
		at++
	}
	return c.Op + ", from byte " + strconv.Itoa(at+1) + " on: " + strconv.Itoa(len(answer)) + " bytes there, " + strconv.Itoa(len(c.Answer)) + " here"
}

// secretsFor are the secrets of the tenants that events speak of, those with which
// the tests were run here. A tenant that no store takes has none in either.
func secretsFor(cases []policy.Case) []host.Secret {
	var out []host.Secret
	secret, err := pseudonym.NewSecret(policy.TestSecret())
	if err != nil {
		return nil
	}
	known := new(pseudonym.Memory)
	for i := range cases {
		var event struct {
			Subject struct {
				Tenant string `json:"tenant"`
			} `json:"subject"`
		}
		if cases[i].Op != "process" || json.Unmarshal(cases[i].Request, &event) != nil {
			continue
		}
		if tenant := event.Subject.Tenant; known.Add(tenant, 1, secret) == nil {
			out = append(out, host.Secret{Tenant: tenant, Version: 1, Key: policy.TestSecret()})
		}
	}
	return out
}
