package classify

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/privetdev/privet/internal/expr"
	"github.com/privetdev/privet/internal/plain"
	"github.com/privetdev/privet/internal/profile"
	"github.com/privetdev/privet/internal/scan"
)

// found is a finding before overlaps are settled. Its place is that in the text or
// stream as it was given.
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
//
// The text is no field: checks and suppressions see neither a name nor a value.
func (s *Scanner) Scan(dst []Finding, text string) []Finding {
	s.truncated, s.unknown = false, false
	s.begin(&Field{})
	s.fresh.clear()
	s.look(s.limit(text), &s.fresh)
	for i := range s.findings {
		dst = append(dst, s.finding(&s.findings[i]))
	}
	return dst
}

func (s *Scanner) finding(f *found) Finding {
	d := &s.c.detectors[f.detector]
	return Finding{d.id, s.c.categories[d.category].Key, f.start, f.end, float64(f.confidence) / 1000}
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
	s.nearby.forget()
	s.search(0, int32(i), s.read(text), &s.fresh, 0)
	best := int32(-1)
	for _, f := range s.findings {
		best = max(best, f.confidence)
	}
	floor := s.floor()
	if own := s.c.detectors[i].floor; own >= 0 && floor > 0 {
		floor = own
	}
	return float64(max(best, 0)) / 1000, best >= floor
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
	if text == "" || len(s.c.detectors) == 0 {
		return
	}
	text = s.read(text)
	s.nearby.forget()
	s.nextHunt()
	s.hunt(text, k, 0, len(text))
	s.findings = s.settle(s.findings)
}

// read is the plain form of a text, in which detectors search; place maps back.
func (s *Scanner) read(text string) string {
	s.origin = nil
	if plain.Clean(text) {
		return text
	}
	s.origin = &s.plain
	return s.plain.Read(text)
}

// place is where text[start:end] of the plain form stands in what was given.
func (s *Scanner) place(start, end int) (int, int) {
	if s.origin == nil {
		return start, end
	}
	return s.origin.Original(start, end)
}

// An origin knows places in what was given.
type origin interface {
	Original(start, end int) (int, int)
}

// nextHunt forgets how far the detectors are.
func (s *Scanner) nextHunt() {
	if s.hunted++; s.hunted == 0 {
		clear(s.hunts)
		s.hunted = 1
	}
}

// hunt adds what the detectors find in a text at the threshold or above, of matches
// that begin at from or later and before to.
func (s *Scanner) hunt(text string, k *known, from, to int) {
	floor, m := s.floor(), &s.levels[0].machine
	s.walker.Begin()
	for pos := from; ; pos++ {
		if pos = s.c.union.Next(&s.walker, text, pos, to); pos < 0 {
			return
		}
		for _, e := range s.walker.Ends {
			d, h := &s.c.detectors[e.Pattern], &s.hunts[e.Pattern]
			if h.round != s.hunted {
				*h = hunt{round: s.hunted, last: -1, spare: scan.Patience(to - from), deep: deepStock*(to-from) + deepLeast}
			}
			if d.muted || pos < h.from || s.hopeless(int32(e.Pattern), floor, k, text, pos) {
				continue
			}
			if e.End >= 0 {
				m.Take(d.pattern, text, pos, e.End)
			} else if h.deep < 0 {
				if m.Longest(d.pattern, text, pos, min(len(text), pos+shortMatch), nil) != pos {
					continue
				}
			} else if next := m.Longest(d.pattern, text, pos, min(len(text), pos+maxMatch), &h.spare); next != pos {
				h.from = next
				continue
			}
			length := m.Loc[1] - pos
			s.consider(0, int32(e.Pattern), text, k, floor, h)
			h.deep -= max(0, length-max(0, h.from-pos))
		}
	}
}

// hopeless reports whether a match of a detector that begins at pos would not reach
// the floor without context, and has none. It tells before anything is known of the
// match what consider would find out.
func (s *Scanner) hopeless(i, floor int32, k *known, text string, pos int) bool {
	d := &s.c.detectors[i]
	if d.floor >= 0 && floor > 0 {
		floor = d.floor
	}
	return d.checked+d.raise < floor && d.pattern.Within(scan.Reach) && s.trace == nil &&
		(d.boost == 0 || s.NoContext || !k.isNear(int(i)) && !s.nearby.may(s.c, text, pos, i))
}

// maxMatch is how long a match can be, in bytes; what is longer is found in part.
const maxMatch = 64 << 10

// Matches may begin at every place and be long, and what is found in them short, or
// nothing. What is looked at again may come to deepStock times the bytes of the text and
// deepLeast for one detector; from then on its matches have shortMatch bytes at most.
const (
	deepStock  = 16
	deepLeast  = 1 << 20
	shortMatch = 256
)

// A hunt is how far the search of one detector is in a text.
type hunt struct {
	round uint32
	tried int // bytes of the matches before last that were refused, see maxTried
	last  int // where the first of them ended
	from  int // no match that begins before counts
	spare int // see [scan.Machine.Longest]
	deep  int // what is left of deepStock
}

// settle takes away what overlaps something better, and brings the rest into the
// order of places.
func (s *Scanner) settle(all []found) []found {
	if len(all) < 2 {
		return all
	}
	slices.SortFunc(all, func(a, b found) int {
		return cmp.Or(
			cmp.Compare(b.confidence, a.confidence),
			cmp.Compare(b.end-b.start, a.end-a.start),
			cmp.Compare(a.start, b.start),
			strings.Compare(s.c.detectors[a.detector].id, s.c.detectors[b.detector].id))
	})
	first, last := all[0].start, all[0].end
	for i := range all {
		first, last = min(first, all[i].start), max(last, all[i].end)
	}
	words := (last-first)>>6 + 1
	s.taken = slices.Grow(s.taken[:0], words)[:words]
	clear(s.taken)
	all = slices.DeleteFunc(all, func(f found) bool {
		for i := f.start - first; i < f.end-first; i++ {
			if s.taken[i>>6]>>(i&63)&1 == 1 {
				return true
			}
		}
		for i := f.start - first; i < f.end-first; i++ {
			s.taken[i>>6] |= 1 << (i & 63)
		}
		return false
	})
	slices.SortFunc(all, byPlace)
	return all
}

func byPlace(a, b found) int { return cmp.Compare(a.start, b.start) }

// maxTried bounds how much is tried around a match that a check refused, so that a
// text made of near misses is still linear work: the bytes of all shorter and later
// matches, each counted with tryCost more.
const (
	maxTried = 512
	tryCost  = 16
)

// search appends what one detector finds at or above floor, in order, without
// overlaps of its own.
func (s *Scanner) search(at int, i int32, text string, k *known, floor int32) {
	d, m := &s.c.detectors[i], &s.levels[at].machine
	h := hunt{last: -1}
	for h.from < len(text) && m.Find(d.pattern, text, h.from, len(text)) {
		whole := m.Loc[0]
		s.consider(at, i, text, k, floor, &h)
		_, width := utf8.DecodeRuneInString(text[whole:])
		h.from = max(h.from, whole+width)
	}
}

// consider looks at the match that the machine has found, and at shorter ones from
// the same place if the check refuses it. It leaves in h where the next may begin.
func (s *Scanner) consider(at int, i int32, text string, k *known, floor int32, h *hunt) {
	d, m := &s.c.detectors[i], &s.levels[at].machine
	if d.floor >= 0 && floor > 0 {
		floor = d.floor
	}
	whole := m.Loc[0]
	for {
		start, end := m.Span()
		wholeEnd := m.Loc[1]
		// Context is cheaper than a check. Where only context could lift the match to the
		// floor and there is none, nothing is lost by passing on.
		near := d.boost > 0 && !s.NoContext && (k.isNear(int(i)) || s.nearby.has(s.c, text, start, end, i))
		best := d.checked + d.raise
		if near {
			best += d.boost
		}
		if best < floor && (s.trace == nil || at > 0) {
			return
		}
		confidence, v := s.judge(at, d, text, start, end)
		if near && v == accepted {
			confidence += d.boost
		}
		confidence = min(max(confidence, 0), 1000)
		if s.trace != nil && at == 0 {
			a, b := s.place(start, end)
			s.trace.match(s, i, k, a, b, v, near, confidence, floor)
		}
		if best < floor {
			return
		}
		if v != refused {
			// A part of what was suppressed is not another one.
			if v == accepted && confidence >= floor && start < end {
				f := found{start, end, i, confidence}
				if at == 0 {
					f.start, f.end = s.place(start, end)
				}
				s.findings = append(s.findings, f)
			}
			h.from = max(end, whole+1)
			return
		}
		// A shorter match from the same place may hold, or one that begins a character
		// later.
		if whole >= h.last {
			h.tried, h.last = 0, wholeEnd
		}
		if h.tried += wholeEnd - whole + tryCost; h.tried > maxTried {
			h.from = h.last
			return
		}
		shorter := wholeEnd - 1
		if shorter <= whole || m.Longest(d.pattern, text, whole, shorter, nil) != whole {
			return
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

// judge evaluates the check, the suppressions and the adjustments of a match. It gives
// the confidence without context of one that is accepted.
func (s *Scanner) judge(at int, d *detector, text string, start, end int) (int32, verdict) {
	if d.check == nil && len(d.suppress) == 0 && len(d.adjust) == 0 {
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
		ok, code := l.match.EvalBool(d.check)
		l.match.Trace = nil // of the check alone
		if !ok || code != expr.OK {
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
	for _, i := range d.adjust {
		a := &s.c.adjust[i]
		if ok, code := l.match.EvalBool(a.when); ok && code == expr.OK {
			confidence += a.add
			if s.trace != nil && at == 0 {
				s.trace.adjusted(a)
			}
		}
	}
	return confidence, accepted
}

// ask answers is and finds.
func (s *Scanner) ask(at int, text, id string, whole bool) (bool, expr.Code) {
	i := s.c.detector(id)
	if i < 0 || at >= maxLevels {
		return false, expr.BadArgument
	}
	d := &s.c.detectors[i]
	if !plain.Clean(text) {
		text = s.levels[at].plain.Read(text)
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
	s.nearby.forget()
	s.search(at, int32(i), text, &nothing, int32(s.c.threshold))
	s.nearby.forget()
	ok := len(s.findings) > n
	s.findings = s.findings[:n]
	return ok, expr.OK
}
