package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// A scanSummary is what a person wants to know of a scan: counts and ids of
// detectors, nothing of a text.
type scanSummary struct {
	noun      string // line or file
	good, bad int
	read      int64
	elapsed   time.Duration
	redact    string
	tally     scanTally
	skipped   counter // files by what they are
	apart     counter // links and what is neither file nor folder
}

// mostDetectors is how many detectors a summary names, those with the most findings.
const mostDetectors = 24

func (s *scanSummary) print(w io.Writer) {
	if s.good == 0 && s.bad == 0 && len(s.skipped.counts)+len(s.apart.counts) == 0 {
		if s.noun == "line" {
			fmt.Fprintln(w, "privet: the input is empty: no line, nothing to scan")
		} else {
			fmt.Fprintln(w, "privet: there is no file, nothing to scan")
		}
		return
	}
	last := ""
	line := func(label, text string) {
		if label == last {
			label = ""
		} else {
			last = label
		}
		fmt.Fprintf(w, "  %-11s%s\n", label, text)
	}
	fmt.Fprintf(w, "%s in %s\n", plural(s.good, s.noun), short(s.elapsed))
	list := s.tally.detectors.ranked()
	total := 0
	for _, k := range list {
		total += k.N
	}
	found := "found"
	if s.redact != "" {
		found = "replaced"
	}
	if total == 0 {
		line(found, "nothing")
	} else {
		line(found, fmt.Sprintf("%s in %s", group(total), plural(s.tally.texts, s.noun)))
	}
	for i, k := range list {
		if rest := len(list) - i; i == mostDetectors && rest > 1 {
			line(found, fmt.Sprintf("%s by %s more", group(total), plural(rest, "detector")))
			break
		}
		total -= k.N
		line(found, group(k.N)+" "+k.Key)
	}
	if s.tally.labelled > 0 {
		line("notes", plural(s.tally.labelled, "value")+" replaced by a label: no pseudonym is made of a value that has not the form of its type")
	}
	rate := ""
	// A short run is mostly starting up.
	if seconds := s.elapsed.Seconds(); seconds >= 0.1 {
		rate = fmt.Sprintf(" (%.1f MB/s)", float64(s.read)/1e6/seconds)
	}
	line("read", size(s.read)+rate)
	var parts []string
	binary := 0
	for _, k := range s.skipped.ranked() {
		binary += k.N
		parts = append(parts, group(k.N)+" "+k.Key)
	}
	if binary > 0 {
		line("skipped", plural(binary, "file")+" without text: "+strings.Join(parts, ", "))
	}
	for _, k := range s.apart.ranked() {
		line("skipped", plural(k.N, k.Key))
	}
	switch {
	case s.bad == 0:
	case s.noun == "line":
		line("bad lines", group(s.bad)+", named above")
	default:
		line("unreadable", group(s.bad)+", named above")
	}
}
