package consent_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/privetdev/privet/consent"
)

type trigger struct {
	row     int
	reason  consent.Reason
	outcome consent.Outcome
	pull    func(*stage)
}

// rest says what the purpose rests on, and takes back what another said.
func (s *stage) rest(p consent.Purpose) {
	old := &s.p.Purposes[0]
	old.Basis, old.Mechanism, old.Assessment, old.Notice = p.Basis, p.Mechanism, p.Assessment, p.Notice
}

// triggers make one row decide. Those of rows 14 to 19 say what the purpose rests
// on; the earlier ones can be combined at will. That of row 11 does nothing alone.
var triggers = []trigger{
	{1, consent.ReasonInvalidRequest, consent.Deny, func(s *stage) { s.r.At = time.Time{} }},
	{2, consent.ReasonNotPersonal, consent.Allow, func(s *stage) {
		s.f.Claims = []consent.Claim{{ID: "c", Result: consent.Aggregate, CheckedAt: noon.Add(-time.Hour)}}
		s.r.Claim = "c"
	}},
	{3, consent.ReasonProhibited, consent.Deny, func(s *stage) { s.p.Prohibitions = []consent.Prohibition{{ID: "no", Source: "s"}} }},
	{4, consent.ReasonLegalObligation, consent.Allow, func(s *stage) {
		s.p.Duties = []consent.Duty{{ID: "tax", Source: "s", Purpose: "p", Basis: consent.BasisLegalObligation, Reference: "law/147", Needs: []string{"k"}}}
	}},
	{5, consent.ReasonAdminDisabled, consent.Deny, func(s *stage) { s.r.Admin["f"] = false }},
	{6, consent.ReasonFeatureOff, consent.Deny, func(s *stage) { s.r.Switches["f"] = false }},
	{7, consent.ReasonErased, consent.Deny, func(s *stage) { s.f.Erased = true }},
	{8, consent.ReasonWithdrawn, consent.Deny, func(s *stage) { s.f.Records = append(s.f.Records, refusal("p", consent.StateWithdrawn)) }},
	{9, consent.ReasonGuardianRequired, consent.AskFirst, func(s *stage) {
		s.p.Ages.Builtin = true
		s.r.Subject.AgeBand, s.r.Subject.Residence = "under13", "US-CA"
	}},
	{10, consent.ReasonSignalGPC, consent.Deny, func(s *stage) {
		s.p.Purposes[0].Signals = []string{"gpc"}
		s.r.Signals.List = []consent.Signal{{Kind: "gpc", Since: noon.Add(-72 * time.Hour)}}
	}},
	{11, consent.ReasonSignalOverridden, consent.Allow, func(s *stage) {
		s.p.Regimes = consent.Regimes{Builtin: true, AfterNotice: []string{"US-CA"}}
		s.r.Subject.Residence = "US-CA"
		yes := grant("p")
		yes.ID, yes.Given, yes.AfterConflict = "told", noon.Add(-24*time.Hour), true
		yes.Notice = consent.NoticeRef{ID: "n", Version: "1"}
		s.f.Records = append(s.f.Records, yes)
	}},
	{12, consent.ReasonExplicitConsentRequired, consent.AskFirst, func(s *stage) {
		s.p.Requirements = []consent.Requirement{{ID: "must", Source: "s"}}
	}},
	{13, consent.ReasonShareNeedsConsent, consent.AskFirst, func(s *stage) {
		s.r.Share = consent.Share{Recipient: "shop", Attributes: []string{"name"}}
	}},
	{14, consent.ReasonConsent, consent.Allow, func(s *stage) {
		s.rest(consent.Purpose{})
		s.f.Records = append(s.f.Records, grant("p"))
		for i := range s.f.Records {
			s.f.Records[i].Expires = time.Time{}
		}
	}},
	{15, consent.ReasonConsentExpired, consent.AskFirst, func(s *stage) {
		s.rest(consent.Purpose{})
		s.f.Records = append(s.f.Records, grant("p"))
		for i := range s.f.Records {
			if r := &s.f.Records[i]; r.State == consent.StateGranted {
				r.Expires = noon.Add(-time.Hour)
			}
		}
	}},
	{16, consent.ReasonContract, consent.Allow, func(s *stage) { s.rest(consent.Purpose{Basis: consent.BasisContract}) }},
	{17, consent.ReasonLegitimateInterest, consent.Allow, func(s *stage) {
		s.rest(consent.Purpose{Basis: consent.BasisLegitimateInterest, Assessment: "lia/1"})
	}},
	{18, consent.ReasonOptOutDefault, consent.Allow, func(s *stage) { s.rest(consent.Purpose{Mechanism: consent.OptOut}) }},
	{19, consent.ReasonDefaultDeny, consent.Deny, func(s *stage) {
		s.rest(consent.Purpose{Mechanism: consent.NoticeOnly, Notice: "n"})
	}},
}

func pulled(rows ...int) *stage {
	s := newStage()
	for _, n := range rows {
		triggers[n-1].pull(s)
	}
	return s
}

// A pair of rows of which one does not beat the other, and why.
type notBeating struct {
	i, j   []int
	reason string
	show   func(t *testing.T, i, j int)
}

// eitherWay shows that the two rows take each other away: whichever is made to hold
// last is the one that decides.
func eitherWay(t *testing.T, i, j int) {
	assert.Equal(t, j, pulled(i, j).decide(t).Row, "%d, then %d", i, j)
	assert.Equal(t, i, pulled(j, i).decide(t).Row, "%d, then %d", j, i)
}

// exclusions are the pairs that cannot hold at once, or of which one never decides.
var exclusions = []notBeating{
	{[]int{10}, []int{11}, "row 11 lifts row 10 and beats it", func(t *testing.T, i, j int) {
		assert.Equal(t, i, pulled(i).decide(t).Row)
		d := pulled(i, j).decide(t)
		assert.Equal(t, 14, d.Row, "the consent after notice counts")
		assert.Equal(t, []consent.Step{{Row: 11, Reason: consent.ReasonSignalOverridden, Note: "the person consented later, told that a signal says otherwise"}}, d.Overridden)
	}},
	{[]int{11}, []int{12, 13, 14, 16, 17, 18}, "row 11 decides nothing: it lifts row 10, and what follows decides", func(t *testing.T, i, j int) {
		d := pulled(10, j, i).decide(t)
		assert.Equal(t, j, d.Row, "%d", j)
		require.NotEmpty(t, d.Overridden)
		assert.Equal(t, consent.ReasonSignalOverridden, d.Overridden[0].Reason)
	}},
	{[]int{11}, []int{15}, "row 11 needs a valid consent, and row 15 says that there is none", func(t *testing.T, i, j int) {
		assert.Equal(t, 10, pulled(10, i, j).decide(t).Row, "once the consent has expired, the signal counts")
	}},
	{[]int{14}, []int{15}, "a consent is valid or it is not", eitherWay},
	{[]int{14, 15}, []int{16, 17, 18}, "a purpose has one basis", eitherWay},
	{[]int{16}, []int{17, 18}, "a purpose has one basis", eitherWay},
	{[]int{17}, []int{18}, "a purpose has one basis", eitherWay},
	{[]int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13}, []int{19}, "row 19 says that nothing else held", func(t *testing.T, i, j int) {
		assert.Equal(t, i, pulled(j, i).decide(t).Row)
		assert.Equal(t, i, pulled(i, j).decide(t).Row)
	}},
	{[]int{11}, []int{19}, "row 19 says that nothing else held, and row 11 decides nothing", func(t *testing.T, i, j int) {
		assert.Equal(t, j, pulled(10, i, j).decide(t).Row)
	}},
	{[]int{14, 15, 16, 17, 18}, []int{19}, "row 19 says that nothing else held", eitherWay},
}

func excluded(i, j int) *notBeating {
	for k := range exclusions {
		if x := &exclusions[k]; slices.Contains(x.i, i) && slices.Contains(x.j, j) {
			return x
		}
	}
	return nil
}

func TestEveryRow(t *testing.T) {
	table := consent.Table()
	require.Len(t, table, 19)
	require.Len(t, triggers, 19)
	for i, tr := range triggers {
		row := table[i]
		require.Equal(t, i+1, row.N)
		require.Equal(t, row.N, tr.row)
		require.Contains(t, row.Reasons, tr.reason)
		if tr.row == 11 {
			continue // TestEveryPairOfRows
		}
		require.Equal(t, row.Outcome, tr.outcome.String())
		d := pulled(tr.row).decide(t)
		assert.Equal(t, verdict{tr.row, tr.outcome, tr.reason}, verdict{d.Row, d.Outcome, d.Reason}, "row %d alone\n%s", tr.row, d.Explain())
	}
}

// Row i beats row j > i, or the pair is listed with its reason and shown.
func TestEveryPairOfRows(t *testing.T) {
	beaten, listed := 0, 0
	for i := 1; i <= 19; i++ {
		for j := i + 1; j <= 19; j++ {
			if x := excluded(i, j); x != nil {
				t.Run(fmt.Sprintf("%d-%d", i, j), func(t *testing.T) {
					require.NotEmpty(t, x.reason)
					x.show(t, i, j)
				})
				listed++
				continue
			}
			a := triggers[i-1]
			s := pulled(j, i)
			if j == 11 {
				s = pulled(10, j, i)
			}
			d := s.decide(t)
			assert.Equal(t, verdict{a.row, a.outcome, a.reason}, verdict{d.Row, d.Outcome, d.Reason}, "rows %d and %d: the earlier wins\n%s", i, j, d.Explain())
			beaten++
		}
	}
	require.Equal(t, 171, beaten+listed)
	require.Equal(t, 36, listed)
	t.Logf("%d pairs in which the earlier row wins, %d that are listed", beaten, listed)
}

func TestAnySetOfRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := subset(t, "rows", triggers[:13])
		base := pick(t, "basis", triggers[13:])
		has := func(row int) bool { return slices.ContainsFunc(list, func(x trigger) bool { return x.row == row }) }
		s := newStage()
		for _, tr := range rapid.Permutation(list).Draw(t, "order") {
			tr.pull(s)
		}
		base.pull(s)
		lifted := has(11) && base.row != 15
		want := base
		for _, tr := range list {
			if tr.row != 11 && !(tr.row == 10 && lifted) {
				want = tr
				break
			}
		}
		if want.row == 14 && has(11) || want.row == 15 && has(11) {
			want = triggers[base.row-1]
		}
		d := s.decide(t)
		require.Equal(t, verdict{want.row, want.outcome, want.reason}, verdict{d.Row, d.Outcome, d.Reason})
	})
}

// The table in the package documentation and in docs/consent.md is the one that
// runs. With -update it is written anew.
func TestTable(t *testing.T) {
	width, wide := 0, 0
	for _, r := range consent.Table() {
		width, wide = max(width, len(r.Title)), max(wide, len(r.Outcome))
	}
	join := func(list []consent.Reason, sep string) string {
		var s []string
		for _, r := range list {
			s = append(s, string(r))
		}
		return strings.Join(s, sep)
	}
	var plain, md, pairs strings.Builder
	fmt.Fprintf(&plain, "//	row  %-*s  %-*s  %s\n", width, "what it asks", 7, "outcome", "reasons")
	md.WriteString("| row | what it asks | outcome | reasons |\n|---|---|---|---|\n")
	for _, r := range consent.Table() {
		fmt.Fprintf(&plain, "//	%3d  %-*s  %-*s  %s\n", r.N, width, r.Title, 7, r.Outcome, join(r.Reasons, " "))
		fmt.Fprintf(&md, "| %d | %s | %s | `%s` |\n", r.N, r.Title, r.Outcome, join(r.Reasons, "` `"))
	}
	pairs.WriteString("| rows | and rows | why |\n|---|---|---|\n")
	numbers := func(list []int) string { return strings.Trim(strings.ReplaceAll(fmt.Sprint(list), " ", ", "), "[]") }
	for _, x := range exclusions {
		fmt.Fprintf(&pairs, "| %s | %s | %s |\n", numbers(x.i), numbers(x.j), x.reason)
	}
	same(t, "doc.go", "// reasons that they give:\n//\n", "//\n// A public task stands", plain.String())
	same(t, "../docs/consent.md", "<!-- table -->\n", "<!-- end -->", md.String())
	same(t, "../docs/consent.md", "<!-- pairs -->\n", "<!-- end of pairs -->", pairs.String())
}

// same compares a part of a file with what belongs there, or puts it there.
func same(t *testing.T, file, before, behind, want string) {
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	head, rest, ok := strings.Cut(string(text), before)
	require.True(t, ok, "%s: the beginning of the table is not found", file)
	at := strings.Index(rest, behind)
	require.GreaterOrEqual(t, at, 0, "%s: the end of the table is not found", file)
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(head+before+want+rest[at:]), 0o644))
		return
	}
	assert.Equal(t, want, rest[:at], "%s is older than the table: run go generate", file)
}

// Every reason stands in the table, and no other.
func TestTableHasEveryReason(t *testing.T) {
	documented := map[consent.Reason]bool{}
	for _, r := range consent.Table() {
		for _, x := range r.Reasons {
			documented[x] = true
		}
	}
	constants := consent.Reasons(t)
	for _, c := range constants {
		assert.True(t, documented[c], "%s is a constant without a row", c)
	}
	assert.Len(t, documented, len(constants))
}
