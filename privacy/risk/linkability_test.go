package risk

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/privetdev/privet/privacy/pseudonym"
)

// tokens makes tokens of one tenant under one version of its secret.
func tokens(t testing.TB, version uint32, names ...string) []string {
	t.Helper()
	var store pseudonym.Memory
	secret, err := pseudonym.NewSecret(bytes.Repeat([]byte{byte(version), 7}, 16))
	require.NoError(t, err)
	require.NoError(t, store.Add("contoso", version, secret))
	p, err := pseudonym.New(context.Background(), &store, pseudonym.Scope{Tenant: "contoso", Purpose: "analytics", Category: "user.contact.email"})
	require.NoError(t, err)
	var out []string
	for _, name := range names {
		token, err := p.Token(pseudonym.Text(name))
		require.NoError(t, err)
		out = append(out, token.String())
	}
	return out
}

func names(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("person %d", i)
	}
	return out
}

// released is 20 people in two classes of ten, with a token each.
func released(t testing.TB) [][]string {
	var rows [][]string
	for i, token := range tokens(t, 3, names(20)...) {
		rows = append(rows, []string{token, []string{"30-39", "40-49"}[i%2], fmt.Sprint(i % 4)})
	}
	return rows
}

var releasedColumns = []ReleasedColumn{
	{Name: "who", Origin: KeyedToken, Tenant: "contoso"},
	{Name: "age", Origin: Generalised, Role: Quasi},
	{Name: "visits", Role: Sensitive},
}

func assess(t testing.TB, names []string, rows [][]string, r Release) *Assessment {
	t.Helper()
	table, err := FromRows(names, Rows(rows))
	require.NoError(t, err)
	a, err := Assess(table, r)
	require.NoError(t, err)
	return a
}

func TestAssess(t *testing.T) {
	until := time.Date(2026, time.December, 24, 0, 0, 0, 0, time.UTC)
	state := func(s SecretState, until time.Time) func(string, uint32) (SecretState, time.Time) {
		return func(tenant string, version uint32) (SecretState, time.Time) {
			if tenant != "contoso" || version != 3 {
				return SecretExists, time.Time{}
			}
			return s, until
		}
	}
	gone := state(SecretDestroyed, time.Time{})
	names := []string{"who", "age", "visits"}
	with := func(i int, c ReleasedColumn) []ReleasedColumn {
		out := append([]ReleasedColumn(nil), releasedColumns...)
		out[i] = c
		return out
	}
	base := released(t)
	changed := func(row, column int, value string) [][]string {
		out := make([][]string, len(base))
		for i := range base {
			out[i] = append([]string(nil), base[i]...)
		}
		out[row][column] = value
		return out
	}
	for _, tt := range []struct {
		name    string
		rows    [][]string
		release Release
		want    pseudonym.Linkability
		next    string // a reason that keeps it from the next step
	}{
		{"secret exists", base, Release{Columns: releasedColumns, Secret: state(SecretExists, time.Time{})}, pseudonym.Linkable, "column who: secret version 3 of tenant contoso exists"},
		{"nobody says what became of it", base, Release{Columns: releasedColumns}, pseudonym.Linkable, "column who: secret version 3 of tenant contoso exists"},
		{"pending", base, Release{Columns: releasedColumns, Secret: state(SecretPending, until)}, pseudonym.Linkable, "is destroyed, and copies of it may exist until 2026-12-24T00:00:00Z"},
		{"pending without end", base, Release{Columns: releasedColumns, Secret: state(SecretPending, time.Time{})}, pseudonym.Linkable, "is destroyed, and copies of it may exist"},
		{"a state that is none", base, Release{Columns: releasedColumns, Secret: state(77, until)}, pseudonym.Linkable, "exists"},
		{"destroyed", base, Release{Columns: releasedColumns, Secret: gone}, pseudonym.Unlinkable, "rows are about single people: publish counts of at least 10 in place of them"},
		{"destroyed, one class too small for k", base, Release{Columns: releasedColumns, Secret: gone, K: 11}, pseudonym.Linked, "2 classes of quasi-identifiers smaller than 11, with 20 rows"},
		{"one person stands out", changed(4, 1, "90-99"), Release{Columns: releasedColumns, Secret: gone}, pseudonym.Linked, "1 class of quasi-identifiers smaller than 5, with 1 row"},
		{"secret exists and one stands out", changed(4, 1, "90-99"), Release{Columns: releasedColumns}, pseudonym.Linked, "1 class of quasi-identifiers smaller than 5, with 1 row"},
		{"an address between the tokens", changed(4, 0, "jane@example.com"), Release{Columns: releasedColumns, Secret: gone}, pseudonym.Linked, "column who: 1 value said to be tokens, and none: they may be in the clear"},
		{"an empty token", changed(4, 0, ""), Release{Columns: releasedColumns, Secret: gone}, pseudonym.Unlinkable, "rows are about single people"},
		{"equal tokens in two classes", changed(4, 0, base[5][0]), Release{Columns: releasedColumns, Secret: gone}, pseudonym.Linked, "column who: equal tokens link rows: 1 token with fewer than 4 others whose rows are in the same classes"},
		{"another version among them", changed(4, 0, tokens(t, 4, "x")[0]), Release{Columns: releasedColumns, Secret: gone}, pseudonym.Linkable, "secret version 4 of tenant contoso exists"},
		{"a column that nobody described", base, Release{Columns: releasedColumns[:2], Secret: gone}, pseudonym.Linked, "column 3 of the table is not described"},
		{"a column without a role", base, Release{Columns: with(2, ReleasedColumn{Name: "visits"}), Secret: gone}, pseudonym.Linked, "column visits: clear and an identifier"},
		{"a generalised one without a role", base, Release{Columns: with(2, ReleasedColumn{Name: "visits", Origin: Generalised}), Secret: gone}, pseudonym.Linked, "column visits: generalised and an identifier"},
		{"impersonal", base, Release{Columns: with(2, ReleasedColumn{Name: "visits", Role: Impersonal}), Secret: gone}, pseudonym.Unlinkable, "rows are about single people"},
		{"one more quasi-identifier", base, Release{Columns: with(2, ReleasedColumn{Name: "visits", Role: Quasi}), Secret: gone}, pseudonym.Unlinkable, "rows are about single people"},
		{"and a higher k", base, Release{Columns: with(2, ReleasedColumn{Name: "visits", Role: Quasi}), Secret: gone, K: 6}, pseudonym.Linked, "4 classes of quasi-identifiers smaller than 6"},
		{"redacted, and is not", base, Release{Columns: with(2, ReleasedColumn{Name: "visits", Origin: Redacted}), Secret: gone}, pseudonym.Linked, "column visits: said to be redacted, and has 4 different values"},
		{"reversible", base, Release{Columns: with(0, ReleasedColumn{Name: "who", Origin: Reversible})}, pseudonym.Linkable, "column who: reversible"},
		{"reversible, key gone", base, Release{Columns: with(0, ReleasedColumn{Name: "who", Origin: Reversible, TableDestroyed: true})}, pseudonym.Unlinkable, "rows are about single people"},
		{"random with a table", base, Release{Columns: with(0, ReleasedColumn{Name: "who", Origin: RandomToken})}, pseudonym.Linkable, "column who: random tokens, and a table"},
		{"random without", base, Release{Columns: with(0, ReleasedColumn{Name: "who", Origin: RandomToken, TableDestroyed: true})}, pseudonym.Unlinkable, "rows are about single people"},
		{"uuids, version said", base, Release{Columns: with(0, ReleasedColumn{Name: "who", Origin: KeyedToken, Tenant: "contoso", Versions: []uint32{3, 3, 5}}), Secret: gone}, pseudonym.Linkable, "secret version 5 of tenant contoso exists"},
	} {
		a := assess(t, names, tt.rows, tt.release)
		var next []string
		for _, r := range a.Next() {
			next = append(next, r.String())
		}
		assert.Equal(t, tt.want.String(), a.Linkability.String(), "%s: %s", tt.name, a)
		assert.Contains(t, strings.Join(next, "\n"), tt.next, tt.name)
		assert.NotContains(t, a.String(), "jane", tt.name)
	}
}

// Five rows of one person are no crowd.
func TestPeopleAreCountedNotRows(t *testing.T) {
	two := tokens(t, 3, "a", "b")
	var rows [][]string
	for i := range 10 {
		rows = append(rows, []string{two[i%2], "30-39"})
	}
	names := []string{"who", "age"}
	release := Release{Columns: releasedColumns[:2], Secret: func(string, uint32) (SecretState, time.Time) { return SecretDestroyed, time.Time{} }}
	a := assess(t, names, rows, release)
	assert.Equal(t, pseudonym.Linked, a.Linkability, "a class of ten rows, and of two people")
	release.K = 2
	a = assess(t, names, rows, release)
	assert.Equal(t, pseudonym.Unlinkable, a.Linkability, "two people, and two are asked for: %s", a)

	// Each class is large, yet each person is the only one in these two classes.
	all := tokens(t, 3, "a", "b", "c", "d", "e", "f")
	rows = nil
	for i, token := range all {
		rows = append(rows, []string{token, fmt.Sprint(i % 3)}, []string{token, fmt.Sprint((i + 1 + i/3) % 3)})
	}
	a = assess(t, names, rows, release)
	assert.Equal(t, pseudonym.Unlinkable, a.Linkability, "0-1, 1-2, 2-0 and once more: pairs: %s", a)
	rows[1][1], rows[3][1] = "0", "1"
	a = assess(t, names, rows, release)
	assert.Equal(t, pseudonym.Linked, a.Linkability, "one is twice in 0")
}

func TestAssessAggregates(t *testing.T) {
	names := []string{"continent", "age", "people"}
	columns := []ReleasedColumn{{Name: "continent", Role: Quasi}, {Name: "age", Origin: Generalised, Role: Quasi}, {Name: "people", Origin: Counts}}
	cells := [][]string{{"Europe", "30-39", "12"}, {"Europe", "40-49", "10"}, {"Asia", "30-39", "31"}}
	a := assess(t, names, cells, Release{Columns: columns})
	assert.Equal(t, pseudonym.Aggregate, a.Linkability)
	assert.Empty(t, a.Reasons)
	assert.Equal(t, "aggregate", a.String())
	for _, tt := range []struct{ count, reason string }{
		{"9", "one too few"}, {"0", "that somebody is not there is said of everybody"}, {"", "missing"}, {"-12", "negative"}, {"12.5", "no count"}, {"1e3", "no count"}, {"99999999999999999999", "no count that fits"},
	} {
		a := assess(t, names, append(cells[:2:2], []string{"Asia", "30-39", tt.count}), Release{Columns: columns})
		assert.Equal(t, pseudonym.Linked, a.Linkability, tt.reason)
		assert.Contains(t, a.String(), "column people: 1 cell smaller than 10, or no count", tt.reason)
	}
	a = assess(t, names, cells, Release{Columns: columns, MinCount: 11})
	assert.Contains(t, a.String(), "1 cell smaller than 11")

	// A token of a person in a cell makes a single record of it.
	withToken := [][]string{}
	for i, token := range tokens(t, 3, "a", "b", "c") {
		withToken = append(withToken, append([]string{token}, cells[i]...))
	}
	a = assess(t, append([]string{"who"}, names...), withToken, Release{Columns: append(releasedColumns[:1:1], columns...)})
	assert.Equal(t, pseudonym.Linked, a.Linkability, "%s", a)
}

func TestReleasesAreDescribedRightly(t *testing.T) {
	table := csvTable(t, "a,b\n1,2\n")
	for _, tt := range []struct {
		r    Release
		want string
	}{
		{Release{K: 1}, "K must be 2 or more"},
		{Release{K: -1}, "K must be 2 or more"},
		{Release{MinCount: 1}, "MinCount must be 2 or more"},
		{Release{Columns: []ReleasedColumn{{Name: "z"}}}, `column "z": there is no such column`},
		{Release{Columns: []ReleasedColumn{{Name: "a"}, {Name: "a"}}}, `column "a": named twice`},
		{Release{Columns: []ReleasedColumn{{Name: "a", Origin: 99}}}, "the origin is none of this package"},
		{Release{Columns: []ReleasedColumn{{Name: "a", Role: 99}}}, "the role is none of this package"},
		{Release{Columns: []ReleasedColumn{{Name: "a", Origin: KeyedToken}}}, "keyed tokens without a tenant"},
	} {
		_, err := Assess(table, tt.r)
		require.ErrorContains(t, err, tt.want)
	}
	a, err := Assess(table, Release{})
	require.NoError(t, err)
	assert.Equal(t, pseudonym.Linked, a.Linkability, "a release that says nothing")
	for _, o := range []Origin{Clear, Generalised, Reversible, KeyedToken, RandomToken, Redacted, Counts} {
		assert.NotEqual(t, "invalid", o.String())
	}
	assert.Equal(t, "invalid", Origin(99).String())
	assert.Equal(t, "invalid", Role(99).String())
	assert.Equal(t, "sensitive", Sensitive.String())
}

// Destroying a secret, or describing a column as a further one from the person, never
// makes a release nearer; and a larger k never makes it farther.
func TestAssessIsMonotone(t *testing.T) {
	all := tokens(t, 3, names(6)...)
	rapid.Check(t, func(t *rapid.T) {
		var rows [][]string
		for range rapid.IntRange(1, 30).Draw(t, "rows") {
			rows = append(rows, []string{rapid.SampledFrom(all).Draw(t, "who"), rapid.SampledFrom([]string{"30-39", "40-49"}).Draw(t, "age"), rapid.SampledFrom([]string{"0", "1"}).Draw(t, "visits")})
		}
		table, err := FromRows([]string{"who", "age", "visits"}, Rows(rows))
		require.NoError(t, err)
		of := func(s SecretState, k int, role Role) pseudonym.Linkability {
			columns := append([]ReleasedColumn(nil), releasedColumns...)
			columns[2].Role = role
			a, err := Assess(table, Release{Columns: columns, K: k, Secret: func(string, uint32) (SecretState, time.Time) { return s, time.Time{} }})
			require.NoError(t, err)
			require.Equal(t, a.Linkability < pseudonym.Aggregate, len(a.Next()) > 0, "there is always a reason")
			return a.Linkability
		}
		for k := 2; k < 5; k++ {
			for role := Identifier; role <= Sensitive; role++ {
				require.LessOrEqual(t, of(SecretExists, k, role), of(SecretPending, k, role))
				require.LessOrEqual(t, of(SecretPending, k, role), of(SecretDestroyed, k, role))
				require.LessOrEqual(t, of(SecretDestroyed, k+1, role), of(SecretDestroyed, k, role))
				require.LessOrEqual(t, of(SecretDestroyed, k, role), of(SecretDestroyed, k, role+1))
			}
		}
	})
}
