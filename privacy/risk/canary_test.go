package risk

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/internal/conform/leak"
)

const canary = "canary@example.test"

// keeper is somebody's struct with our types in unexported fields, where fmt reads by
// reflection and asks no method.
type keeper struct {
	table      Table
	tableP     *Table
	classes    Classes
	class      Class
	hierarchy  Hierarchy
	criterion  Criterion
	report     Report
	found      Generalisation
	assessment Assessment
}

// No value of the data is in any error, text, verb, JSON or log line.
func TestCanary(t *testing.T) {
	var said bytes.Buffer
	say := func(v any) { said.WriteString(leak.Print(v)) }
	table := csvTable(t, "a,s\n"+canary+",x\n"+canary+",canary1\ny,canary2\n")
	say(table)
	say(*table)
	classes, err := table.Classes("a")
	require.NoError(t, err)
	say(classes)
	say(*classes)
	class, _ := classes.Of(1)
	say(class)
	h := Groups(map[string]string{canary: "canary3", "y": "canary4"})
	say(h)
	say(*h)
	file, err := ReadHierarchy(strings.NewReader(canary+";canary5;*\ny;canary6;*\n"), ';')
	require.NoError(t, err)
	say(file)
	k := KAnonymity(5)
	order := OrderedDistanceTCloseness("s", 0.1, "canary1", "x", "canary2")
	reports, err := classes.Check(k, order, DistinctLDiversity("s", 3))
	require.NoError(t, err)
	say(reports)
	say(order)
	say(reports[0].Violations[0])
	found, err := table.Search(context.Background(), Search{Quasi: []string{"a"}, Hierarchies: map[string]*Hierarchy{"a": file}, Criteria: []Criterion{KAnonymity(3)}, Suppress: 1})
	require.NoError(t, err)
	require.True(t, found.Found)
	say(found)
	say(*found)
	say(found.Apply())
	assessment, err := Assess(table, Release{Columns: []ReleasedColumn{{Name: "a", Origin: KeyedToken, Tenant: "t"}, {Name: "s", Origin: Redacted}}})
	require.NoError(t, err)
	say(assessment)
	say(keeper{*table, table, Classes{classes.s}, class, *file, order, reports[1], *found, *assessment})
	say(&keeper{table: *table, hierarchy: *h})

	fail := func(_ any, err error) {
		require.Error(t, err)
		say(err)
	}
	for _, text := range []string{
		"a,b\n" + canary + "\n", "a\n\"" + canary, "a\nx\"" + canary + "\n", canary + "," + canary + "\n", "\"" + canary + "\"x\n", canary + ",\n",
		"a\n" + strings.Repeat(canary, 20000),
	} {
		fail(ReadCSV(strings.NewReader(text), CSV{MaxRecord: 100}))
		fail(ReadHierarchy(strings.NewReader(text), ';'))
	}
	fail(ReadHierarchy(strings.NewReader(canary+";x\n"+canary+";y\n"), ';'))
	fail(ReadHierarchy(strings.NewReader("a;"+canary+";x\nb;"+canary+";y\n"), ';'))
	for _, rule := range []string{"bands:5", "date"} {
		h, err := ParseRule(rule)
		require.NoError(t, err)
		fail(h.At(canary, 1))
		fail(table.Search(context.Background(), Search{Quasi: []string{"a"}, Hierarchies: map[string]*Hierarchy{"a": h}, Criteria: []Criterion{k}}))
	}
	fail(file.At("canary7", 1))
	fail(ParseRule(canary))
	fail(ParseRule("bands:" + canary))
	fail(classes.Check(OrderedDistanceTCloseness("a", 0.1)))
	fail(classes.Check(OrderedDistanceTCloseness("a", 0.1, "y")))
	fail(classes.Check(OrderedDistanceTCloseness("a", 0.1, canary, canary)))
	for line := range strings.Lines(said.String()) {
		if i := strings.Index(line, "canary"); i >= 0 {
			t.Errorf("…%s…", line[max(0, i-60):min(len(line), i+20)])
		}
	}
	assert.Greater(t, said.Len(), 10_000, "something was said")
}
