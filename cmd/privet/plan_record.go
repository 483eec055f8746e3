package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/internal/jsondoc"
	"github.com/privetdev/privet/privacy"
	"github.com/privetdev/privet/retention"
	"github.com/privetdev/privet/retention/sweep"
)

// A planner plans records by the rules of a policy. Use one per goroutine.
type planner struct {
	guard       *privacy.Guard
	decoder     sweep.Decoder
	record      sweep.Record
	request     consent.Request // what conditions see
	attr        map[string]string
	whole, part retention.Plan
}

// openPlanner opens the policy that the flags name.
func openPlanner(f *planFlags) (*privacy.Bundle, *privacy.Guard, error) {
	options, err := f.pins.options()
	if err != nil {
		return nil, nil, err
	}
	bundle, err := loadPolicy(f.policy)
	if err != nil {
		return nil, nil, err
	}
	guard, err := privacy.Open(bundle, options...)
	return bundle, guard, err
}

// read decodes a record; it holds until the next one.
func (p *planner) read(text []byte) error {
	if err := p.decoder.Decode(text, &p.record); err != nil {
		return err
	}
	clear(p.attr)
	for name, value := range p.record.Input.Attr {
		if p.attr == nil {
			p.attr = map[string]string{}
		}
		// Conditions know attributes as texts only.
		switch v := value.(type) {
		case string:
			p.attr[name] = v
		case bool:
			p.attr[name] = strconv.FormatBool(v)
		case int64:
			p.attr[name] = strconv.FormatInt(v, 10)
		case float64:
			p.attr[name] = strconv.FormatFloat(v, 'g', -1, 64)
		}
	}
	return nil
}

// plan plans what was read: one plan for all of its categories together. The plan
// holds until the next one.
func (p *planner) plan(now time.Time, explain bool) (*retention.Plan, error) {
	in := &p.record.Input
	in.Now, in.Explain = now, explain
	p.request = consent.Request{At: now, Class: in.Class, Purpose: in.Purpose, Region: in.Region}
	p.request.Subject.Tenant, p.request.Subject.Attr = in.Tenant, p.attr
	in.Request = &p.request
	for i := range max(1, len(p.record.Categories)) {
		in.Category = ""
		if len(p.record.Categories) > 0 {
			in.Category = p.record.Categories[i]
		}
		p.request.Category = in.Category
		dst := &p.part
		if i == 0 {
			dst = &p.whole
		}
		if err := p.guard.PlanInto(dst, in); err != nil {
			return nil, err
		}
		if i > 0 {
			p.whole.Merge(&p.part)
		}
	}
	return &p.whole, nil
}

// planOne reads one record from a file, or from standard input for "-", and plans it
// with its trail.
func planOne(e *env, f *planFlags, path string) (*privacy.Bundle, *sweep.Record, *retention.Plan, error) {
	at, err := f.instant(e)
	if err != nil {
		return nil, nil, nil, err
	}
	bundle, guard, err := openPlanner(f)
	if err != nil {
		return nil, nil, nil, err
	}
	text, err := readRecord(e, path)
	if err != nil {
		return nil, nil, nil, err
	}
	name := path
	if path == "-" {
		name = "standard input"
	}
	p := planner{guard: guard}
	if err := p.read(text); err != nil {
		return nil, nil, nil, badRecord(name, text, err)
	}
	plan, err := p.plan(at, true)
	if err != nil {
		return nil, nil, nil, badRecord(name, text, err)
	}
	return bundle, &p.record, plan, nil
}

func readRecord(e *env, path string) ([]byte, error) {
	in, name := e.stdin, "standard input"
	if path == "-" {
		if e.typed {
			fmt.Fprintln(e.stderr, "privet: reading one record from the keyboard; end with Ctrl-D, or see --help")
		}
	} else {
		if err := regularFile("record", path, "name a file in it"); err != nil {
			return nil, err
		}
		file, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("cannot read the record %s: %s", path, fileProblem(err))
		}
		defer file.Close()
		in, name = file, path
	}
	text, err := io.ReadAll(io.LimitReader(in, sweep.MaxLine+1))
	if err != nil {
		return nil, fmt.Errorf("cannot read the record %s: %s", name, fileProblem(err))
	}
	text = bytes.TrimPrefix(text, byteOrderMark)
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, &status{exitBad, name + ": empty; write one JSON object"}
	}
	return text, nil
}

// badRecord says what is wrong with a record and where, without a value of it.
func badRecord(name string, text []byte, err error) error {
	p, at := recordProblem(text, err)
	if at < 0 {
		return &status{exitBad, name + ": " + p.String()}
	}
	line := 1 + bytes.Count(text[:at], newline)
	column := 1 + utf8.RuneCount(text[bytes.LastIndexByte(text[:at], '\n')+1:at])
	return &status{exitBad, fmt.Sprintf("%s: line %d, column %d: %s", name, line, column, p)}
}

// recordProblem says why a record is none, or has no plan, and at which byte; -1 if
// it is the record as a whole.
func recordProblem(text []byte, err error) (problem, int) {
	var fault *sweep.LineError
	var input *retention.InputError
	switch {
	case errors.As(err, &fault) && len(text) > sweep.MaxLine:
		return problem{text: fault.Problem, mend: fault.Mend}, -1 // it may be cut
	case errors.As(err, &fault):
		var doc jsondoc.Doc
		var broken *jsondoc.Error
		if errors.As(doc.Parse(string(text), recordLimits), &broken) {
			return problem{text: broken.Code.String(), mend: fault.Mend}, min(broken.Offset, len(text))
		}
		p := problem{text: fault.Problem, mend: fault.Mend}
		if fault.Field != "" {
			p.text = fault.Field + ": " + p.text
		}
		if len(doc.Nodes) == 0 || fault.Field == "id" && doc.Member(0, "id") < 0 {
			return p, -1
		}
		return p, faultAt(&doc)
	case errors.As(err, &input):
		key := input.Field
		if key == "category" {
			key = "categories"
		}
		var doc jsondoc.Doc
		if doc.Parse(string(text), recordLimits) == nil {
			if i := doc.Member(0, key); i >= 0 {
				return problem{text: key + ": " + input.Problem}, int(doc.Nodes[i].At)
			}
		}
		return problem{text: input.Field + ": " + input.Problem}, -1
	}
	return problem{text: err.Error()}, -1
}

// recordLimits are those of package sweep.
var recordLimits = jsondoc.Limits{Depth: 4, Nodes: 20_000}

// faultAt is where the value stands that makes a record bad. The decoder names the
// field; which one of several values in it is at fault is found by asking it about
// each alone.
func faultAt(doc *jsondoc.Doc) int {
	var decoder sweep.Decoder
	var record sweep.Record
	bad := func(text []byte) bool { return decoder.Decode(text, &record) != nil }
	if doc.Nodes[0].Kind != jsondoc.Object {
		return int(doc.Nodes[0].At)
	}
	at := int32(0)
	before, after := []byte(`{"id":"r",`), []byte(`}`)
	for {
		n, found := &doc.Nodes[at], int32(-1)
		for c := at + 1; c < n.End && found < 0; c = doc.Nodes[c].End {
			text := append([]byte(nil), before...)
			if at == 0 && doc.Nodes[c].Key == "id" {
				text = append([]byte(nil), '{')
			}
			if n.Kind == jsondoc.Object {
				text = append(jsondoc.AppendString(text, doc.Nodes[c].Key), ':')
			}
			if bad(append(doc.Append(text, c), after...)) {
				found = c
			}
		}
		if found < 0 {
			return int(n.At)
		}
		child := &doc.Nodes[found]
		if child.Kind != jsondoc.Object && child.Kind != jsondoc.Array {
			return int(child.At)
		}
		// Go on inside of it.
		if at == 0 && child.Key == "id" {
			return int(child.At)
		}
		if n.Kind == jsondoc.Object {
			before = append(jsondoc.AppendString(before, child.Key), ':')
		}
		open, end := byte('['), byte(']')
		if child.Kind == jsondoc.Object {
			open, end = '{', '}'
		}
		before, after = append(before, open), append([]byte{end}, after...)
		at = found
	}
}
