package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func page(t *testing.T, stdin string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.html")
	r := privet(t, stdin, "process", "-p", smallPolicy, "--report", path, "-", os.DevNull)
	require.NotEqual(t, exitStop, r.code, r.err)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NotContains(t, string(text), "canary", "a report holds nothing of an event")
	return string(text)
}

func TestReportTellsWhatTheSummaryTells(t *testing.T) {
	off := strings.Replace(event("b"), `"subject"`, `"switches":{"finder":"off"},"subject"`, 1)
	text := page(t, lines(event("a"), off, "canary"))
	rows := regexp.MustCompile(`<tr><th scope="row">([^<]*)(?:<span class="detail">([^<]*)</span>)?</th>.*?<td class="n">([0-9,]+) `).FindAllStringSubmatch(text, -1)
	var have []string
	for _, row := range rows {
		have = append(have, row[1]+" "+row[3])
	}
	for _, want := range []string{
		"allow 1", "deny 1", // outcomes
		"keep 2", "generalise 1", "pseudonymise 2", "drop 7", // actions
		"user.contact.email 5", "user.location.precise 2", "user.secret 2", "not classified 4", // categories, pieces of text among them
		"CONTRACT 6", "FEATURE_OFF 6", // reasons
		"2026-03-30 2", // deadlines: a denied event still has its own
	} {
		assert.Contains(t, have, want, "rows: %q", have)
	}
	for _, want := range []string{"command-tests", "version 7", "What the tests want (default, undated)", "the person has switched the feature off", `<dt>Bad lines</dt><dd>1</dd>`} {
		assert.Contains(t, text, want)
	}
	assert.Regexp(t, `<code>[0-9a-f]{64}</code>`, text, "the whole fingerprint")
}

func TestReportNeedsNothingElse(t *testing.T) {
	text := page(t, lines(event("a")))
	for _, banned := range []string{"<script", "http:", "https:", "src=", "href=", "url(", "@import", "<link", "<iframe", "onload"} {
		assert.NotContains(t, text, banned, "one page, self-contained, without scripts")
	}
	for _, needed := range []string{`<html lang="en">`, `<meta name="viewport"`, `prefers-color-scheme: dark`, `@media print`, `<th scope="row">`, `<th scope="col"`, `aria-labelledby=`, `<main>`, `<title>`} {
		assert.Contains(t, text, needed, "light and dark, printable, readable aloud")
	}
	assert.NotContains(t, text, "ZgotmplZ", "the template engine refused a value")
	// It is well formed: every element that is opened is closed.
	d := xml.NewDecoder(strings.NewReader(text))
	d.Strict = false
	d.AutoClose = xml.HTMLAutoClose
	d.Entity = xml.HTMLEntity
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else {
			require.NoError(t, err)
		}
	}
}

func TestReportOfNothing(t *testing.T) {
	assert.Contains(t, page(t, ""), "There was no event.")
}

func TestReportErrors(t *testing.T) {
	r := privet(t, lines(event("a")), "process", "-p", smallPolicy, "--report", t.TempDir())
	assert.Equal(t, exitStop, r.code)
	assert.Contains(t, r.err, "is a folder")
	r = privet(t, lines(event("a")), "process", "-p", smallPolicy, "--report", "-")
	assert.Equal(t, exitStop, r.code)
	assert.Contains(t, r.err, "cannot both go to standard output")
	r = privet(t, lines(event("a")), "process", "-p", smallPolicy, "--report", "-", "-", filepath.Join(t.TempDir(), "out"))
	assert.Equal(t, exitDone, r.code, r.err)
	assert.Contains(t, r.out, "<!DOCTYPE html>")
}

// Names come from policies, which may be anybody's: they are text, not markup.
func TestReportEscapes(t *testing.T) {
	s := summary{Events: 1}
	s.Policy.Name = `<script>alert(1)</script>`
	s.Tally.Events = 1
	s.Tally.Labels.plus(`<b>&"'`, 1)
	text, err := s.page()
	require.NoError(t, err)
	assert.NotContains(t, string(text), "<script")
	assert.NotContains(t, string(text), "<b>")
	assert.Contains(t, string(text), "&lt;b&gt;")
}
