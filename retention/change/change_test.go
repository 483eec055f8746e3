package change_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/privetdev/privet/retention"
	"github.com/privetdev/privet/retention/change"
)

func at(t require.TestingT, s string) time.Time {
	if s == "" {
		return time.Time{}
	}
	out, err := time.Parse(time.RFC3339, s)
	require.NoError(t, err)
	return out
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

var statement = change.Policy{Lead: retention.Period{Days: 30}, Channels: []string{"portal", "message_center"}}

func told(t require.TestingT, center, portal string) map[string]time.Time {
	out := map[string]time.Time{}
	if center != "" {
		out["message_center"] = at(t, center)
	}
	if portal != "" {
		out["portal"] = at(t, portal)
	}
	return out
}

func TestCheck(t *testing.T) {
	day := func(d string) string { return d + "T00:00:00Z" }
	for _, tt := range []struct {
		name                    string
		kinds                   []change.Kind
		effective               string
		told                    map[string]time.Time
		material, stated, early bool
		latest, earliest        string
		missing                 []string
		reason                  string
	}{
		{"S10", []change.Kind{change.DataTypes}, day("2026-05-01"), told(t, day("2026-04-01"), day("2026-04-01")), true, true, false, day("2026-04-01"), day("2026-05-01"), nil, "30 days to the second"},
		{"S10 a day later", []change.Kind{change.StorageLocation}, day("2026-05-01"), told(t, day("2026-04-02"), day("2026-04-02")), true, true, true, day("2026-04-01"), day("2026-05-02"), nil, "each kind triggers it alone"},
		{"one channel later", []change.Kind{change.DataTypes}, day("2026-05-02"), told(t, day("2026-04-01"), day("2026-04-02")), true, true, false, day("2026-04-02"), day("2026-05-02"), nil, "the last channel counts"},
		{"one channel missing", []change.Kind{change.DataTypes}, day("2026-05-02"), told(t, day("2026-04-01"), ""), true, true, true, day("2026-04-02"), "", []string{"portal"}, "one of two is no notice"},
		{"nothing told", []change.Kind{change.DataTypes, change.Major}, day("2026-05-02"), nil, true, true, true, day("2026-04-02"), "", []string{"message_center", "portal"}, "material and major is material"},
		{"not decided", []change.Kind{change.DataTypes}, "", told(t, day("2026-04-01"), day("2026-04-01")), true, true, false, "", day("2026-05-01"), nil, "when it may take effect"},
		{"major", []change.Kind{change.Major}, day("2026-05-02"), told(t, day("2026-05-02"), day("2026-05-02")), false, false, false, "", "", nil, "told, but no lead time is stated"},
		{"incident", []change.Kind{change.Incident}, "", told(t, "", day("2026-05-02")), false, false, false, "", "", []string{"message_center"}, "no deadline is made up"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := statement.Check(change.Change{Kinds: tt.kinds, Effective: at(t, tt.effective), Told: tt.told})
			require.NoError(t, err)
			assert.Equal(t, []any{true, tt.material, tt.stated, tt.early, tt.latest, tt.earliest, tt.missing},
				[]any{f.Required, f.Material, f.Stated, f.TooEarly, stamp(f.LatestNotice), stamp(f.EarliestEffective), f.Missing}, tt.reason)
		})
	}
	_, err := statement.Check(change.Change{})
	require.ErrorIs(t, err, change.ErrKind)
	_, err = statement.Check(change.Change{Kinds: []change.Kind{9}})
	require.ErrorIs(t, err, change.ErrKind)
	_, err = statement.Check(change.Change{Kinds: []change.Kind{change.DataTypes}, Effective: time.Unix(1<<40, 0)})
	require.ErrorIs(t, err, change.ErrRange)
}

// TestLatestNotice: the last notice that is early enough is, and a second later
// is not.
func TestLatestNotice(t *testing.T) {
	zones := []string{"UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe"}
	rapid.Check(t, func(t *rapid.T) {
		loc, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
		require.NoError(t, err)
		p := change.Policy{Zone: loc, Lead: retention.Period{Months: rapid.IntRange(0, 3).Draw(t, "months"), Days: rapid.IntRange(0, 40).Draw(t, "days"), Exact: time.Duration(rapid.IntRange(1, 90000).Draw(t, "exact")) * time.Second}}
		effective := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "effective"), 0).UTC()
		f, err := p.Check(change.Change{Kinds: []change.Kind{change.DataTypes}, Effective: effective})
		require.NoError(t, err)
		end, err := p.Lead.Add(f.LatestNotice, loc, retention.Clamp)
		require.NoError(t, err)
		require.False(t, end.After(effective))
		end, err = p.Lead.Add(f.LatestNotice.Add(time.Second), loc, retention.Clamp)
		require.NoError(t, err)
		require.True(t, end.After(effective))
	})
}

func rules(t require.TestingT, days int) *retention.Rules {
	rs, err := retention.New([]retention.Rule{
		{ID: "gone", Kind: retention.Ceiling, Strength: retention.Statement, Category: "user", Anchor: "end", Period: retention.Period{Days: days}},
		{ID: "backup", Kind: retention.Ceiling, Strength: retention.Statement, Category: "user", Anchor: "end", Period: retention.Period{Days: 10}, Copies: []retention.Copy{retention.Backup}},
	})
	require.NoError(t, err)
	return rs
}

func TestVersions(t *testing.T) {
	old, next := rules(t, 60), rules(t, 30)
	vs, err := change.NewVersions([]change.Version{{"v1", at(t, "2026-01-01T00:00:00Z"), old}})
	require.NoError(t, err)
	ch := change.Change{Kinds: []change.Kind{change.DataTypes}, Effective: at(t, "2026-05-01T00:00:00Z"), Told: told(t, "2026-04-01T00:00:00Z", "2026-04-01T00:00:00Z")}
	both, err := vs.Announced("v2", next, statement, ch)
	require.NoError(t, err)
	for _, tt := range []struct{ at, want string }{
		{"2025-12-31T23:59:59Z", ""}, {"2026-01-01T00:00:00Z", "v1"}, {"2026-04-30T23:59:59Z", "v1"}, {"2026-05-01T00:00:00Z", "v2"}, {"2030-01-01T00:00:00Z", "v2"},
	} {
		v, ok := both.At(at(t, tt.at))
		assert.Equal(t, tt.want != "", ok)
		assert.Equal(t, tt.want, v.ID, tt.at)
	}
	v, _ := vs.At(at(t, "2030-01-01T00:00:00Z"))
	assert.Equal(t, "v1", v.ID, "the earlier value stays as it is")

	in := retention.Input{Category: "user", Now: at(t, "2026-05-01T00:00:00Z"), Events: map[retention.Anchor]time.Time{"end": at(t, "2026-04-01T00:00:00Z")}}
	p, id, err := both.Plan(in)
	require.NoError(t, err)
	assert.Equal(t, []string{"v2", "2026-05-01T00:00:00Z"}, []string{id, stamp(p.Latest)})
	in.Now = at(t, "2020-01-01T00:00:00Z")
	_, _, err = both.Plan(in)
	require.ErrorIs(t, err, change.ErrNotInForce)
	_, ok := (*change.Versions)(nil).At(in.Now)
	assert.False(t, ok)

	ch.Told = told(t, "2026-04-02T00:00:00Z", "2026-04-02T00:00:00Z")
	_, err = vs.Announced("v2", next, statement, ch)
	require.ErrorIs(t, err, change.ErrTooEarly)
	ch.Kinds, ch.Told = []change.Kind{change.Major}, told(t, "2026-04-02T00:00:00Z", "")
	_, err = vs.Announced("v2", next, statement, ch)
	require.ErrorIs(t, err, change.ErrTooEarly, "one channel is missing")
	ch.Kinds = nil
	_, err = vs.Announced("v2", next, statement, ch)
	require.ErrorIs(t, err, change.ErrKind)
	for _, bad := range [][]change.Version{{{"", in.Now, old}}, {{"a", time.Time{}, old}}, {{"a", in.Now, nil}}, {{"a", in.Now, old}, {"a", in.Now.AddDate(1, 0, 0), old}}, {{"a", in.Now, old}, {"b", in.Now, old}}} {
		_, err := change.NewVersions(bad)
		require.ErrorIs(t, err, change.ErrVersion)
	}
}

func TestCompare(t *testing.T) {
	var inputs []*retention.Input
	for i := range 40 {
		in := &retention.Input{Category: "user", Now: at(t, "2026-05-01T00:00:00Z"), Events: map[retention.Anchor]time.Time{"end": at(t, "2026-05-01T00:00:00Z").AddDate(0, 0, -i)}}
		switch i {
		case 0:
			in.Category = "other"
		case 1:
			in.Events = nil
		case 2:
			in.Category = "no key"
		}
		inputs = append(inputs, in)
	}
	var sum change.Summary
	var moves []change.Move
	failed := 0
	for m, err := range change.Compare(rules(t, 60), rules(t, 30), slices.Values(inputs), retention.Primary, &sum) {
		if err != nil {
			failed++
			assert.Equal(t, 2, m.Index)
			continue
		}
		moves = append(moves, m)
	}
	assert.Equal(t, 1, failed)
	require.Len(t, moves, 37)
	assert.Equal(t, []any{3, -30 * 24 * time.Hour, true, false}, []any{moves[0].Index, moves[0].LatestBy, moves[0].LatestMoved, moves[0].EarliestMoved})
	assert.Equal(t, 10, sum.NewlyOverdue, "30 to 39 days old")
	assert.Equal(t, "40 records, 2 unchanged\nmay be deleted: 0 later, 0 sooner, 0 known now, 0 no longer known\nmust be gone: 0 later, 37 sooner (at most P30D), 0 known now, 0 no longer known\n10 newly overdue, 1 could not be planned\n", sum.String())

	count := 0
	for range change.Compare(rules(t, 60), rules(t, 30), slices.Values(inputs), retention.Backup, nil) {
		count++
	}
	assert.Equal(t, 1, count, "backups have a rule of their own that does not move: only the error is left")
	for range change.Compare(rules(t, 60), rules(t, 90), slices.Values(inputs), retention.Primary, nil) {
		break
	}
	none, err := retention.New(nil)
	require.NoError(t, err)
	sum = change.Summary{}
	for range change.Compare(none, rules(t, 90), slices.Values(inputs[3:4]), retention.Primary, &sum) {
	}
	assert.Equal(t, []int{1, 1}, []int{sum.LatestGained, sum.EarliestGained})
	sum = change.Summary{}
	for range change.Compare(rules(t, 90), rules(t, 91), slices.Values(inputs[3:4]), retention.Primary, &sum) {
	}
	assert.Equal(t, []any{1, 24 * time.Hour}, []any{sum.LatestLater, sum.MostLatestLater})
}
