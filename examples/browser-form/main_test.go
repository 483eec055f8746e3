package main

import (
	"context"
	"io"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/wasm/host"
)

func TestHandler(t *testing.T) {
	text, err := files.ReadFile("policy.yaml")
	require.NoError(t, err)
	site, size, err := handler(text)
	require.NoError(t, err)
	server := httptest.NewServer(site)
	defer server.Close()
	get := func(path string) (string, string) {
		response, err := server.Client().Get(server.URL + path)
		require.NoError(t, err)
		defer response.Body.Close()
		require.Equal(t, 200, response.StatusCode, path)
		assert.Contains(t, response.Header.Get("Content-Security-Policy"), "default-src 'none'", path)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return string(body), response.Header.Get("Content-Type")
	}
	for path, kind := range map[string]string{"/": "text/html", "/style.css": "text/css", "/app.js": "text/javascript", "/classifier.js": "text/javascript"} {
		_, got := get(path)
		assert.Contains(t, got, kind, path)
	}
	module, kind := get("/policy.wasm")
	assert.Equal(t, "application/wasm", kind)
	assert.Len(t, module, size)

	// The module that browsers get knows what is built in and the example's rule.
	ctx := context.Background()
	k, err := host.OpenClassifier(ctx, []byte(module), host.WithInterpreter())
	require.NoError(t, err)
	defer k.Close(ctx)
	for value, want := range map[string]string{"jane@example.com": "user.contact.email", "LC-00012345": "user.unique_id"} {
		labels, err := k.Field(ctx, classify.Field{Name: "ref", Value: value})
		require.NoError(t, err)
		require.NotEmpty(t, labels, value)
		assert.Equal(t, want, labels[0].Category)
	}
}

func TestHandlerRefusesABadPolicy(t *testing.T) {
	_, _, err := handler([]byte("privet: 1\nname: ["))
	assert.Error(t, err)
}
