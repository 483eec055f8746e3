package classify

import (
	"cmp"
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/profile"
	"github.com/privetdev/privet/internal/scan"
)

// found is a finding before overlaps are settled.
type found struct {
	start, end           int
	detector, confidence int32
}

// limit cuts a value to what detectors may see.
func (s *Scanner) limit(value string) string {
	if s.MaxValue <= 0 || len(value) <= s.MaxValue {
		return value
	}
	s.truncated = true
	return cut(value, s.MaxValue)
}

// Scan appends what the detectors find in a text, in the order of places: start,
// end, detector. Findings do not overlap: of several the most confident stays,
// then the longest, then the earliest, then the first by id.
func (s *Scanner) Scan(dst []Finding, text string) []Finding {
	s.truncated, s.unknown = false, false
	s.begin(&Field{Value: text})
	s.fresh.clear()
	s.look(s.limit(text), &s.fresh)
	for i := range s.findings {
		f := &s.findings[i]
		d := &s.c.detectors[f.detector]
		dst = append(dst, Finding{d.id, s.c.categories[d.category].Key, f.start, f.end, float64(f.confidence) / 1000})
	}
	return dst
}

// Fires reports whether a detector alone finds something in a text at the
// threshold or above, and its confidence at the best place. Overlaps and other
// detectors do not matter; suppressions do. An unknown detector never fires.
func (s *Scanner) Fires(id, text string) (float64, bool) {
	i := s.c.detector(id)
	if i < 0 {
		return 0, false
	}
	s.begin(&Field{Value: text})
	s.fresh.clear()
	s.findings = s.findings[:0]
	s.features.Read(text)
	if s.c.detectors[i].pattern.Possible(&s.features) {
		s.search(0, int32(i), text, &s.fresh, 0)
	}
	best := int32(-1)
	for _, f := range s.findings {
		best = max(best, f.confidence)
	}
	return float64(max(best, 0)) / 1000, best >= s.floor()
}

// see notes a finding.
func (s *Scanner) see(f *found) {
	v := s.vote(s.c.detectors[f.detector].category)
	if f.confidence > v.seen || v.detector < 0 || f.confidence == v.seen && s.c.detectors[f.detector].id < s.c.detectors[v.detector].id {
		v.seen, v.detector = max(f.confidence, 1), f.detector
	}
}

// look fills s.findings with what the detectors find in a text at the threshold
// or above, without overlaps, in the order of places.
func (s *Scanner) look(text string, k *known) {
	s.findings = s.findings[:0]
	if text == "" {
		return
	}
	clear(s.hits)
	s.features.Read(text)
	s.c.filter.Hits(text, &s.features, s.hits)
	s.looked = false
	floor := s.floor()
	for w, set := range s.hits {
		for ; set != 0; set &= set - 1 {
			i := w<<6 + bits.TrailingZeros64(set)
			d := &s.c.detectors[i]
			if d.muted || !d.pattern.Possible(&s.features) || !s.hopeful(d, i, k, text, floor) {
				continue
			}
			s.search(0, int32(i), text, k, floor)
		}
	}
	if len(s.findings) > 1 {
		s.settle(len(text))
	}
}

// hopeful reports whether a detector can reach floor in the text that was filtered:
// by itself, or because there is a word of its context somewhere.
func (s *Scanner) hopeful(d *detector, i int, k *known, text string, floor int32) bool {
	confidence := d.base
	if d.check != nil {
		confidence = d.checked
	}
	if confidence >= floor || s.trace != nil {
		return true
	}
	if confidence+d.boost < floor || s.NoContext {
		return false
	}
	if k.isNear(int(i)) {
		return true
	}
	if !s.looked {
		s.looked = true
		clear(s.around)
		s.c.contexts().Hits(text, &s.features, s.around)
	}
	return s.around[i>>6]>>(i&63)&1 == 1
}

// settle takes away what overlaps something better.
func (s *Scanner) settle(length int) {
	slices.SortFunc(s.findings, func(a, b found) int {
		return cmp.Or(
			cmp.Compare(b.confidence, a.confidence),
			cmp.Compare(b.end-b.start, a.end-a.start),
			cmp.Compare(a.start, b.start),
			strings.Compare(s.c.detectors[a.detector].id, s.c.detectors[b.detector].id))
	})
	words := length>>6 + 1
	s.taken = slices.Grow(s.taken[:0], words)[:words]
	clear(s.taken)
	s.findings = slices.DeleteFunc(s.findings, func(f found) bool {
		for i := f.start; i < f.end; i++ {
			if s.taken[i>>6]>>(i&63)&1 == 1 {
				return true
			}
		}
		for i := f.start; i < f.end; i++ {
			s.taken[i>>6] |= 1 << (i & 63)
		}
		return false
	})
	slices.SortFunc(s.findings, func(a, b found) int { return cmp.Compare(a.start, b.start) })
}

// maxTries bounds how many shorter or later matches are tried around one that a
// check refused, so that a text made of near misses is still linear work.
const maxTries = 32

// search appends what one detector finds at or above floor, in order, without
// overlaps of its own.
func (s *Scanner) search(at int, i int32, text string, k *known, floor int32) {
	d := &s.c.detectors[i]
	m := &s.levels[at].machine
	tries, last := 0, -1
	for from, limit := 0, len(text); from < len(text) && m.Find(d.pattern, text, from, limit); {
		start, end := m.Span()
		whole, wholeEnd := m.Loc[0], m.Loc[1]
		confidence, v := s.judge(at, d, text, start, end)
		if v == accepted {
			confidence = s.weigh(d, i, k, text, start, end, confidence)
			if s.trace != nil && at == 0 {
				s.trace.found(s, i, k, text, start, end, confidence, floor)
			}
			if confidence >= floor && start < end {
				s.findings = append(s.findings, found{start, end, i, confidence})
			}
			from, limit = max(end, whole+1), len(text)
			continue
		}
		if s.trace != nil && at == 0 {
			s.trace.refused(i, start, end)
		}
		if v == suppressed {
			// It was one, and a part of it is not another.
			from, limit = max(end, whole+1), len(text)
			continue
		}
		// Refused. A shorter match from the same place may hold, or one that begins a
		// character later.
		if whole >= last {
			tries, last = 0, wholeEnd
		}
		tries++
		if shorter := wholeEnd - 1; tries < maxTries && shorter > whole && m.Find(d.pattern, text, whole, shorter) && m.Loc[0] == whole {
			from, limit = whole, shorter
			continue
		}
		limit = len(text)
		if from = last; tries < maxTries {
			_, width := utf8.DecodeRuneInString(text[whole:])
			from = whole + width
		}
	}
}

// A verdict is what becomes of a match.
type verdict uint8

const (
	refused    verdict = iota // by the check
	suppressed                // by a suppression
	accepted
)

// judge evaluates the check and the suppressions of a match. It gives the
// confidence without context of one that is accepted.
func (s *Scanner) judge(at int, d *detector, text string, start, end int) (int32, verdict) {
	if d.check == nil && len(d.suppress) == 0 {
		return d.base, accepted
	}
	l := &s.levels[at]
	v := l.match.Vars
	if !l.ready {
		s.prepare()
		copy(v, s.vars[:])
		l.ready = true
	}
	if d.words {
		s.needWords()
	}
	l.host.Reset()
	match := cut(text[start:end], profile.MaxValue)
	v[profile.MatchText] = expr.String(match)
	v[profile.MatchDigits] = expr.String(cut(l.host.Digits(match), profile.MaxName))
	v[profile.MatchGroups] = expr.Strings(nil)
	if d.groups {
		l.machine.Groups(d.pattern, text)
		l.groups = l.groups[:0]
		for i := 0; i < len(l.machine.Loc); i += 2 {
			g := ""
			if a, b := l.machine.Loc[i], l.machine.Loc[i+1]; a >= 0 && b >= a {
				g = cut(text[a:b], profile.MaxName)
			}
			l.groups = append(l.groups, g)
		}
		v[profile.MatchGroups] = expr.Strings(&l.groups)
	}
	v[profile.MatchBefore] = expr.String(before(text, start))
	v[profile.MatchAfter] = expr.String(after(text, end))
	confidence := d.base
	if d.check != nil {
		if s.trace != nil && at == 0 {
			s.trace.check(&l.match, d.check)
		}
		if ok, code := l.match.EvalBool(d.check); !ok || code != expr.OK {
			return 0, refused
		}
		confidence = d.checked
	}
	for _, i := range d.suppress {
		if ok, code := l.match.EvalBool(s.c.suppress[i].when); ok && code == expr.OK {
			if s.trace != nil && at == 0 {
				s.trace.suppressed(&s.c.suppress[i])
			}
			return 0, suppressed
		}
	}
	return confidence, accepted
}

// weigh adds what context is worth.
func (s *Scanner) weigh(d *detector, i int32, k *known, text string, start, end int, confidence int32) int32 {
	if d.boost > 0 && !s.NoContext && (k.isNear(int(i)) || s.nearby.has(text, start, end, d.context)) {
		confidence = min(confidence+d.boost, 1000)
	}
	return confidence
}

// ask answers is and finds.
func (s *Scanner) ask(at int, text, id string, whole bool) (bool, expr.Code) {
	i := s.c.detector(id)
	if i < 0 || at >= maxLevels {
		return false, expr.BadArgument
	}
	d := &s.c.detectors[i]
	var f scan.Features
	if f.Read(text); !d.pattern.Possible(&f) {
		return false, expr.OK
	}
	if whole {
		m := &s.levels[at].machine
		if !m.Find(d.pattern, text, 0, len(text)) {
			return false, expr.OK
		}
		start, end := m.Span()
		if start != 0 || end != len(text) {
			return false, expr.OK
		}
		_, v := s.judge(at, d, text, start, end)
		return v == accepted, expr.OK
	}
	// The findings of the field at hand are kept: what is found here goes behind
	// them and is taken away again.
	n := len(s.findings)
	var nothing known
	s.search(at, int32(i), text, &nothing, int32(s.c.threshold))
	ok := len(s.findings) > n
	s.findings = s.findings[:n]
	return ok, expr.OK
}
