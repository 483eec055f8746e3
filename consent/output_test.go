package consent_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/privetdev/privet/consent"
)

// rich is a decision with everything in it that can be together.
func rich(t *testing.T) consent.Decision {
	p := services()
	p.Requirements = []consent.Requirement{{
		ID: "health-explicit", Source: "service-data", Note: "Health data needs an explicit yes.",
		When: consent.Condition{Func: func(r *consent.Request) (bool, error) { return below(r.Category, "user.health_and_medical"), nil }},
	}}
	e, err := consent.New(p)
	require.NoError(t, err)
	weak := grant("quality")
	later := grant("quality")
	later.ID, later.Channel, later.Strength, later.Given = "later", "email", consent.Explicit, noon.Add(time.Hour)
	return e.Decide(viewOf(t, records(weak, later)), &consent.Request{
		Purposes: []string{"service.operate", "quality"}, Category: "user.health_and_medical", Class: "service.required", Feature: "",
		Channel: "email", Qualifier: consent.Anonymized, At: noon,
	})
}

func TestAppendJSON(t *testing.T) {
	d := rich(t)
	step := `{"note":"the data is called no longer personal, and no result is named for it","reason":"NOT_PERSONAL","row":2}`
	weak := `{"note":"the consent is weaker than required","reason":"CONSENT","row":14,"rule":"grant-quality"}`
	operate := `"note":"Health data needs an explicit yes.","outcome":"ask","overridden":[` + step + `],"purpose":"service.operate","reason":"EXPLICIT_CONSENT_REQUIRED","row":12,"rule":"health-explicit","source":"service-data"}`
	assert.Equal(t, `{"ask":{"from":"subject","purposes":["service.operate","quality"],"strength":"explicit","what":"use"},"basis":"contract","by_purpose":[`+
		`{"ask":{"from":"subject","purposes":["service.operate"],"strength":"explicit","what":"use"},"basis":"contract",`+operate+`,`+
		`{"ask":{"from":"subject","purposes":["quality"],"strength":"explicit","what":"use"},"basis":"consent","not_after":"2026-03-28T13:00:00Z","note":"Health data needs an explicit yes.","outcome":"ask","overridden":[`+step+`,`+weak+`],"purpose":"quality","reason":"EXPLICIT_CONSENT_REQUIRED","row":12,"rule":"health-explicit","source":"service-data"}`+
		`],"not_after":"2026-03-28T13:00:00Z",`+operate, string(d.AppendJSON(nil)))
	assert.Equal(t, "x"+string(d.AppendJSON(nil)), string(d.AppendJSON([]byte("x"))), "it appends")
}

func TestExplain(t *testing.T) {
	d := rich(t)
	assert.Equal(t, `ask: explicit consent is required (EXPLICIT_CONSENT_REQUIRED, row 12)
  purpose service.operate on contract
  rule health-explicit of service-data: Health data needs an explicit yes.
  not counted: NOT_PERSONAL: the data is called no longer personal, and no result is named for it
  ask the subject for explicit consent to use for service.operate, quality
  holds until 2026-03-28T13:00:00Z
  ask: explicit consent is required (EXPLICIT_CONSENT_REQUIRED, row 12)
    purpose service.operate on contract
    rule health-explicit of service-data: Health data needs an explicit yes.
    not counted: NOT_PERSONAL: the data is called no longer personal, and no result is named for it
    ask the subject for explicit consent to use for service.operate
  ask: explicit consent is required (EXPLICIT_CONSENT_REQUIRED, row 12)
    purpose quality on consent
    rule health-explicit of service-data: Health data needs an explicit yes.
    not counted: NOT_PERSONAL: the data is called no longer personal, and no result is named for it
    not counted: CONSENT of grant-quality: the consent is weaker than required
    ask the subject for explicit consent to use for quality
    holds until 2026-03-28T13:00:00Z`, d.Explain())

	e, err := consent.New(services())
	require.NoError(t, err)
	d = e.Decide(viewOf(t, records(grant("quality"))), &consent.Request{Purpose: "quality", Class: "service.required", At: noon})
	assert.Equal(t, `allow: the person consented (CONSENT, row 14)
  purpose quality on consent
  rule quality of service-data
  by consent grant-quality
  must delete_within PT48H from used_at (typical ceiling), by rule ephemeral`, d.Explain())
	assert.Equal(t, `{"basis":"consent","evidence":[{"id":"grant-quality","kind":"consent"}],"obligations":[{"anchor":"used_at","kind":"delete_within","limit":"ceiling","period":"PT48H","rule":"ephemeral","source":"service-data","strength":"typical"}],"outcome":"allow","purpose":"quality","reason":"CONSENT","row":14,"rule":"quality","source":"service-data"}`, string(d.AppendJSON(nil)))
	d = e.Decide(nil, &consent.Request{Purpose: "quality"})
	assert.Equal(t, "deny: the request is malformed (INVALID_REQUEST, row 1)\n  part at", d.Explain())
}

// Every reason has words of its own.
func TestReasonsHaveWords(t *testing.T) {
	seen := map[string]consent.Reason{}
	for _, r := range consent.Reasons(t) {
		d := consent.Decision{Reason: r}
		s := d.Explain()
		assert.NotContains(t, s, "nothing was decided", r)
		words := s[:len(s)-len(r)]
		assert.Empty(t, seen[words], "%s and %s", r, seen[words])
		seen[words] = r
	}
	require.NotEmpty(t, seen)
}
