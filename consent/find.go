package consent

import (
	"slices"
	"time"
)

// proveBoth tells what find found.
func (q *query) proveBoth(r *record) {
	q.prove(r.evidence)
	if q.second != nil {
		q.prove(q.second.evidence)
	}
}

// find looks for a valid grant by who may give one at the person's age. Where two
// people must consent together and did so apart, the other's is in q.second.
func (q *query) find(gate ops, need uint8) *record {
	q.second = nil
	switch q.minority().need {
	case guardianBit:
		return q.findBy(guardianBit, gate, need)
	case bothBits:
		if r := q.findBy(bothBits, gate, need); r != nil {
			return r
		}
		r := q.findBy(guardianBit, gate, need)
		if r == nil {
			return nil
		}
		if q.second = q.findBy(subjectBit, gate, need); q.second == nil {
			return nil
		}
		return r
	}
	return q.findBy(0, gate, need)
}

// findBy looks for a valid grant by all of the givers. gate is the operation whose gate asks, 0 for the
// purpose itself. Of several it takes the one that stays valid longest. Without
// one it says what is wrong with those there are.
func (q *query) findBy(by givers, gate ops, need uint8) *record {
	q.flaw, q.flawed = ReasonConsentUnset, nil
	var best *record
	var bestEnd, soonest time.Time
	if len(q.v.groups) > 0 {
		for key := q.r.Purpose; ; key = parent(key) {
			if g := q.v.groups[key]; g != nil {
				for i := range g.grants {
					r := &g.grants[i]
					if r.giver&by != by || !q.covers(r, gate) {
						continue
					}
					if !q.since.IsZero() && !(r.AfterConflict && r.Given.After(q.since)) {
						continue
					}
					start := r.Given
					if r.op&(promoteBit|combineBit) != 0 {
						start = start.Add(1) // given before the move, not with it
					}
					end, flaw := q.validity(r)
					switch {
					case q.r.At.Before(start):
						soonest = sooner(soonest, start)
					case r.strength < need: // first, so that the reason does not change when it expires
						if q.flawed == nil {
							q.flawed = r
						}
					case flaw == ReasonConsentExpired:
						if q.flaw != ReasonConsentExpired {
							q.flaw, q.flawed = flaw, r
						}
					case flaw == ReasonConsentStale:
						if q.flaw == ReasonConsentUnset {
							q.flaw, q.flawed = flaw, r
						}
						soonest = sooner(soonest, r.Expires) // then it has expired
					case best == nil || compareEnd(end, bestEnd) > 0:
						best, bestEnd = r, end
					}
				}
			}
			if key == q.p.Key {
				break
			}
		}
	}
	if best != nil {
		q.bound(bestEnd)
	} else {
		q.bound(soonest)
	}
	return best
}

// sooner is the earlier of two instants; the zero time is none.
func sooner(a, b time.Time) time.Time {
	if compareEnd(b, a) < 0 {
		return b
	}
	return a
}

// covers reports whether a grant is about what the request does.
func (q *query) covers(x *record, gate ops) bool {
	r := q.r
	if x.Channel != "" && x.Channel != r.Channel || x.Recipient != "" && x.Recipient != q.recipient {
		return false
	}
	if gate != 0 && x.op != gate {
		return false
	}
	switch x.op {
	case useBit:
		return q.ops&syncBit == 0
	case syncBit:
		return q.ops&syncBit != 0
	case promoteBit:
		return q.ops&promoteBit != 0 && (x.From == "" || x.From == r.Promote.From) && (x.To == "" || x.To == r.Promote.To) && x.Service == r.Service
	case combineBit:
		return q.ops&combineBit != 0 && x.Service == r.Service && containsAll(x.Origins, r.Combine.With) && slices.Contains(x.Origins, q.own())
	case shareBit:
		return q.ops&shareBit != 0 && x.Recipient == q.recipient && containsAll(x.Attributes, r.Share.Attributes) &&
			(len(r.Share.Attributes) > 0 || len(x.Attributes) == 0) // attributes that are not named are not covered by a list
	}
	return false
}

func containsAll[T comparable](set, list []T) bool {
	for _, x := range list {
		if !slices.Contains(set, x) {
			return false
		}
	}
	return true
}

// validity says until when a grant holds, and what is wrong with it at the
// request's instant.
func (q *query) validity(r *record) (end time.Time, flaw Reason) {
	if !r.Expires.IsZero() && !q.r.At.Before(r.Expires) {
		return r.Expires, ReasonConsentExpired
	}
	end = r.Expires
	if q.p.Notice != "" && r.Notice.ID != q.p.Notice {
		return end, ReasonConsentStale
	}
	if r.Notice.ID == "" || !q.e.noticeIDs[r.Notice.ID] {
		return end, ""
	}
	rule, known := q.e.notices[r.Notice]
	if !known || r.Given.Before(rule.published) || !rule.stale.IsZero() && !q.r.At.Before(rule.stale) {
		return end, ReasonConsentStale
	}
	if compareEnd(rule.stale, end) < 0 {
		end = rule.stale
	}
	return end, ""
}

// tellFlaw puts the record that nearly counted into the answer.
func (q *query) tellFlaw() {
	if q.flawed == nil {
		return
	}
	if q.flaw == ReasonConsentUnset {
		q.note([]Step{{14, ReasonConsent, q.flawed.ID, "the consent is weaker than required"}})
		return
	}
	q.prove(q.flawed.evidence)
}
