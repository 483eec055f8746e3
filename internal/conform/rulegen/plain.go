package rulegen

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/internal/profile"
)

// A Question is one field with everything that its labels follow from.
type Question struct {
	Rules []Rule
	// Holds says whether the condition of a rule holds.
	Holds func(id string) bool
	// Value is what detectors see of the value, and Found what they find in it without
	// its field, however little confident they are.
	Value     string
	Found     []classify.Finding
	Threshold float64
	NoContext bool // the field's name is no context for detectors
}

// Labels says which labels a field has, from its documentation and slowly: no
// index, no memory, one step after the other.
func Labels(c *classify.Classifier, f *classify.Field, q *Question) []classify.Label {
	type claim struct {
		confidence int
		rule       string
	}
	threshold := int(q.Threshold*1000 + 0.5)

	// What the rules say: per category the most confident, of equals the first by id.
	// A declaration stands instead of all rules.
	claims := map[string]claim{}
	for _, key := range declared(c, f) {
		claims[key] = claim{1000, classify.Declared}
	}
	if len(claims) == 0 {
		for _, r := range q.Rules {
			if !q.Holds(r.ID) {
				continue
			}
			old, known := claims[r.Category]
			if !known || int(r.Confidence) > old.confidence || int(r.Confidence) == old.confidence && r.ID < old.rule {
				claims[r.Category] = claim{int(r.Confidence), r.ID}
			}
		}
		best, person := 0, false
		for _, x := range claims {
			best = max(best, x.confidence)
		}
		for key, x := range claims {
			if x.confidence <= best-100 { // a guess from fewer words
				delete(claims, key)
			} else if x.confidence >= threshold && !profile.Under(key, "system") {
				person = true
			}
		}
		for key := range claims {
			if person && profile.Under(key, "system") {
				delete(claims, key)
			}
		}
	}

	// What the detectors found, the same way.
	type sight struct {
		confidence int
		detector   string
		spans      []classify.Span
	}
	sights := map[string]sight{}
	for _, x := range append(q.Found, aboutFields(f, q.Value)...) {
		d := Detectors[slices.IndexFunc(Detectors, func(d Detector) bool { return d.ID == x.Detector })]
		confidence := int(x.Confidence*1000 + 0.5)
		if !q.NoContext && near(f, d.Context) {
			confidence = min(int(d.Checked+d.Boost), 1000)
		}
		if confidence < threshold {
			continue
		}
		s := sights[d.Category]
		if s.spans == nil || confidence > s.confidence || confidence == s.confidence && d.ID < s.detector {
			s.confidence, s.detector = confidence, d.ID
		}
		s.spans = append(s.spans, classify.Span{Start: x.Start, End: x.End})
		sights[d.Category] = s
	}

	// Both together.
	var labels []classify.Label
	for _, k := range c.Categories() {
		x, s := claims[k.Key], sights[k.Key]
		confidence := max(x.confidence, s.confidence)
		if x.confidence > 0 && s.confidence > 0 {
			confidence = 1000 - (1000-x.confidence)*(1000-s.confidence)/1000
		}
		if x.rule == "" && s.detector == "" || confidence < threshold {
			continue
		}
		labels = append(labels, classify.Label{Category: k.Key, Confidence: float64(confidence) / 1000,
			Rule: x.rule, Detector: s.detector, Spans: s.spans, ISO19944: k.ISO19944, Qualifier: k.Qualifier})
	}
	slices.SortStableFunc(labels, func(a, b classify.Label) int { // categories are in order already
		switch {
		case a.Confidence > b.Confidence:
			return -1
		case a.Confidence < b.Confidence:
			return 1
		}
		return 0
	})
	return labels
}

// aboutFields is what detectors find whose check is about the field, in order.
func aboutFields(f *classify.Field, value string) (found []classify.Finding) {
	for i := range Detectors {
		if d := &Detectors[i]; d.about != nil && d.about(f) {
			for _, at := range d.part.FindAllStringIndex(value, -1) {
				found = append(found, classify.Finding{Detector: d.ID, Category: d.Category, Start: at[0], End: at[1], Confidence: float64(d.Checked) / 1000})
			}
		}
	}
	return found
}

// declared is the categories that the tags of a field name and that exist: those of
// the first tag that names one.
func declared(c *classify.Classifier, f *classify.Field) []string {
	for _, tag := range []string{"privet.category", "privacy"} {
		var found []string
		for _, key := range strings.Split(f.Tags[tag], ",") {
			if _, ok := c.Category(strings.TrimSpace(key)); ok {
				found = append(found, strings.TrimSpace(key))
			}
		}
		if found != nil {
			return found
		}
	}
	return nil
}

// near reports whether the name or the path of a field holds a phrase, the last
// word perhaps in the plural.
func near(f *classify.Field, phrases []string) bool {
	for _, text := range []string{f.Name, f.Path} {
		words := " " + strings.Join(classify.Words(Cut(text, profile.MaxName)), " ") + " "
		for _, p := range phrases {
			if strings.Contains(words, " "+p+" ") || strings.Contains(words, " "+p+"s ") {
				return true
			}
		}
	}
	return false
}

// Cut is what expressions see of a text that may have n bytes: whole characters.
func Cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// Equal reports whether two lists of labels are the same, in the same order.
func Equal(a, b []classify.Label) bool {
	return slices.EqualFunc(a, b, func(a, b classify.Label) bool {
		spans := slices.Equal(a.Spans, b.Spans)
		return spans && a.Category == b.Category && a.Confidence == b.Confidence && a.Rule == b.Rule && a.Detector == b.Detector &&
			a.ISO19944 == b.ISO19944 && a.Qualifier == b.Qualifier
	})
}
