package main

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	explainBlock = regexp.MustCompile("(?s)```sh\n\\$ privet (explain [^\n]*)\n(.*?)```")
	argumentForm = regexp.MustCompile(`'([^']*)'|(\S+)`)
)

// TestExplainDocs: docs/explain.md shows what the command prints.
func TestExplainDocs(t *testing.T) {
	const path = "../../docs/explain.md"
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	blocks := 0
	text := explainBlock.ReplaceAllStringFunc(string(b), func(block string) string {
		m := explainBlock.FindStringSubmatch(block)
		var args []string
		for _, a := range argumentForm.FindAllStringSubmatch(m[1], -1) {
			args = append(args, a[1]+a[2])
		}
		blocks++
		got := runOK(t, args...)
		if !*update {
			assert.Equal(t, m[2], got, "privet %s: run with -update after reading the difference", m[1])
		}
		return "```sh\n$ privet " + m[1] + "\n" + got + "```"
	})
	require.GreaterOrEqual(t, blocks, 12)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
}

func runOK(t *testing.T, args ...string) string {
	var out, errs strings.Builder
	code := run(t.Context(), args, &env{stdin: strings.NewReader("jane@example.com\n"), stdout: &out, stderr: &errs})
	require.Equal(t, exitDone, code, errs.String())
	return out.String()
}

func TestExplainField(t *testing.T) {
	assert.Contains(t, runOK(t, "explain", "--name", "x", "--value", "-"), "email-address at 0–16", "a value from standard input, without its newline")
	assert.True(t, json.Valid([]byte(runOK(t, "explain", "--name", "email", "--json"))))
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"explain", "1", "--name", "x"}, "explain one thing at a time"},
		{[]string{"explain", "1", "--json"}, "name one with --name or --value"},
		{[]string{"explain", "--name", "x", "--policy", "testdata/none.yaml"}, "none.yaml"},
	} {
		var out, errs strings.Builder
		code := run(t.Context(), tt.args, &env{stdin: strings.NewReader(""), stdout: &out, stderr: &errs})
		assert.Equal(t, exitStop, code)
		assert.Contains(t, errs.String(), tt.want)
		assert.Empty(t, out.String())
	}
}
