package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReadmeShowsWhatTheFilesSay(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	require.NoError(t, err)
	blocks, err := parse(string(text))
	require.NoError(t, err)
	require.NoError(t, checkFiles(root, blocks))
}

var link = regexp.MustCompile(`\]\(([^)#:]+)\)`)

// A link to a file that is gone, or was never there, helps nobody.
func TestLinksLeadSomewhere(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	require.NoError(t, err)
	more, err := filepath.Glob(filepath.Join(root, "*.md"))
	require.NoError(t, err)
	found := 0
	for _, page := range append(pages, more...) {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			found++
			_, err := os.Stat(filepath.Join(filepath.Dir(page), filepath.FromSlash(m[1])))
			assert.NoError(t, err, "%s links to %s", page, m[1])
		}
	}
	require.NotZero(t, found, "no link was found")
}

func TestRun(t *testing.T) {
	const fence = "```"
	tests := []struct {
		readme string
		want   string // part of the error; "" if all is well
		reason string
	}{
		{"<!-- file: a.go -->\n" + fence + "go\nfunc a() {\n\treturn\n}\n" + fence + "\n<!-- run -->\n" + fence + "sh\n$ echo one; echo two\none\ntwo\n$ true\n" + fence, "", "all is as shown"},
		{"<!-- file: a.go#part -->\n" + fence + "\nreturn\n" + fence + "\n<!-- run -->\n" + fence + "\n$ true\n" + fence, "", "a part, with its indentation taken away"},
		{"<!-- file: a.go#part -->\n" + fence + "\nretur\n" + fence + "\n<!-- run -->\n" + fence + "\n$ true\n" + fence, "differs from a.go", "half a line is no part"},
		{"<!-- file: a.go -->\n" + fence + "\nfunc b() {}\n" + fence, "differs from a.go", "the file moved on"},
		{"<!-- file: gone.go -->\n" + fence + "\n" + fence, "gone.go", "the file is gone"},
		{"<!-- file: a.go -->\n\n" + fence + "\n" + fence, "no fenced block", "a comment that marks nothing"},
		{"<!-- file: a.go -->\n" + fence + "\nfunc", "no end", "a fence that is never closed"},
		{"# Title\n", "shows no file", "a check that finds nothing must not pass"},
		{"<!-- file: a.go#part -->\n" + fence + "\nreturn\n" + fence, "no command", "commands that are not run rot"},
		{"<!-- file: a.go#part -->\n" + fence + "\nreturn\n" + fence + "\n<!-- run -->\n" + fence + "\n$ echo two; echo one\none\ntwo\n" + fence, `no longer prints "two"`, "order counts"},
		{"<!-- file: a.go#part -->\n" + fence + "\nreturn\n" + fence + "\n<!-- run -->\n" + fence + "\n$ echo took 12 s of 60 s\ntook … s of … s\n" + fence, "", "… stands for anything"},
		{"<!-- file: a.go#part -->\n" + fence + "\nreturn\n" + fence + "\n<!-- run -->\n" + fence + "\n$ exit 3\n" + fence, "failed", "a command that fails"},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			root := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(root, "README.md"), []byte(tt.readme), 0o600))
			require.NoError(t, os.WriteFile(filepath.Join(root, "a.go"), []byte("func a() {\n\treturn\n}\n"), 0o600))
			err := run(root)
			if tt.want == "" {
				assert.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, tt.want)
		})
	}
}
