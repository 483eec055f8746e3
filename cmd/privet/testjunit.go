package main

import (
	"encoding/xml"
	"strconv"
	"strings"

	"github.com/privetdev/privet/classify/celrules"
)

// JUnit XML as the tools that read it agree on. Times are left out: nothing here
// reads a clock.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name       string           `xml:"name,attr"`
		Tests      int              `xml:"tests,attr"`
		Failures   int              `xml:"failures,attr"`
		Errors     int              `xml:"errors,attr"`
		Properties *junitProperties `xml:"properties"`
		Cases      []junitCase      `xml:"testcase"`
	}
	junitProperties struct {
		List []junitProperty `xml:"property"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		File    string        `xml:"file,attr,omitempty"`
		Line    int           `xml:"line,attr,omitempty"`
		Failure *junitProblem `xml:"failure"`
		Error   *junitProblem `xml:"error"`
	}
	junitProblem struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

func (s *junitSuite) add(c junitCase) {
	s.Tests++
	if c.Failure != nil {
		s.Failures++
	}
	if c.Error != nil {
		s.Errors++
	}
	s.Cases = append(s.Cases, c)
}

// problem is a failure with the places and fixed texts of its lines; the first is
// its message.
func junitFailure(where string, problems ...string) *junitProblem {
	if len(problems) == 0 {
		return nil
	}
	var lines []string
	for _, p := range problems {
		lines = append(lines, where+": "+p)
	}
	return &junitProblem{problems[0], strings.Join(lines, "\n")}
}

// junit writes a run: one suite a file, one case a test; with --wasm another case a
// test for the module's answer; with --cover-min a suite for coverage.
func junit(r *testRun) ([]byte, error) {
	all := junitSuites{Name: "privet test"}
	for i := range r.files {
		all.Suites = append(all.Suites, r.files[i].junit())
	}
	if r.flags.covered {
		s := junitSuite{Name: "coverage"}
		c := junitCase{Class: "coverage", Name: "at least " + decimal(r.flags.coverMin) + " percent"}
		if r.tooLow() {
			both, all := r.coverage()
			c.Failure = junitFailure("coverage", coverText(both, all))
		}
		s.add(c)
		all.Suites = append(all.Suites, s)
	}
	for i := range all.Suites {
		s := &all.Suites[i]
		all.Tests, all.Failures, all.Errors = all.Tests+s.Tests, all.Failures+s.Failures, all.Errors+s.Errors
	}
	text, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return nil, err
	}
	return append([]byte(xml.Header), append(text, '\n')...), nil
}

func (t *tested) junit() junitSuite {
	s := junitSuite{Name: t.name}
	if t.err != nil {
		s.add(junitCase{Class: t.name, Name: "compile", File: t.name, Error: &junitProblem{"the file could not be tested", untestedText(t.err)}})
		return s
	}
	r := t.report
	if both, all := celrules.Share(r.Coverage); all > 0 {
		s.Properties = &junitProperties{[]junitProperty{{"coverage", decimal(percent(both, all))}, {"covered", strconv.Itoa(both)}, {"sub-conditions", strconv.Itoa(all)}}}
	}
	if len(r.Cases) == 0 {
		s.add(junitCase{Class: t.name, Name: "tests", File: t.name, Failure: junitFailure(t.name, "no tests")})
	}
	if t.guest != "" {
		s.add(junitCase{Class: "wasm", Name: "open", File: t.name, Failure: junitFailure(t.name, t.guest)})
	}
	for i := range r.Cases {
		k := &r.Cases[i]
		class := k.Kind
		if k.ID != "" {
			class += "." + k.ID
		}
		where := place(k.File, k.Line, k.Column)
		s.add(junitCase{Class: class, Name: k.Name, File: k.File, Line: k.Line, Failure: junitFailure(where, k.Failures...)})
		if i < len(t.wasm) {
			c := junitCase{Class: "wasm." + class, Name: k.Name, File: k.File, Line: k.Line}
			if p := t.wasm[i].problem; p != "" {
				c.Failure = junitFailure(where, p)
			}
			s.add(c)
		}
	}
	return s
}
