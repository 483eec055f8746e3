package consent

import "slices"

// decideAll decides each purpose by itself and takes the worst.
func (e *Engine) decideAll(view *View, req *Request) Decision {
	if e == nil || !e.ready {
		return e.decideOne(view, req)
	}
	one := *req // conditions read the purpose that is being decided
	one.Purposes = nil
	keys := req.Purposes
	if req.Purpose != "" {
		keys = append([]string{req.Purpose}, keys...)
	}
	if len(keys) > MaxPurposes {
		return Decision{Row: 1, Reason: ReasonInvalidRequest, Rule: "purposes"}
	}
	list := make([]Decision, len(keys))
	for i, k := range keys {
		one.Purpose = k
		list[i] = e.decideOne(view, &one)
	}
	worst := &list[0]
	for i := range list[1:] {
		if d := &list[1+i]; d.Outcome < worst.Outcome || d.Outcome == worst.Outcome && d.Row < worst.Row {
			worst = d
		}
	}
	d := *worst
	d.ByPurpose = list
	d.Ask, d.Obligations = nil, nil
	for i := range list {
		x := &list[i]
		if !x.NotAfter.IsZero() && (d.NotAfter.IsZero() || x.NotAfter.Before(d.NotAfter)) {
			d.NotAfter = x.NotAfter
		}
		switch d.Outcome {
		case Allow:
			d.Obligations = appendNew(d.Obligations, x.Obligations, sameObligation)
			if x != worst {
				d.Evidence = appendNew(slices.Clip(d.Evidence), x.Evidence, func(a, b *Ref) bool { return *a == *b })
			}
		case AskFirst:
			d.Ask = mergeAsk(d.Ask, x.Ask, worst.Ask)
		}
		if d.Outcome != Allow && x.Outcome != Allow { // what is not done may bring duties too
			d.Obligations = appendNew(d.Obligations, x.Obligations, sameObligation)
		}
	}
	return d
}

func appendNew[T any](dst, src []T, same func(a, b *T) bool) []T {
next:
	for i := range src {
		for j := range dst {
			if same(&dst[j], &src[i]) {
				continue next
			}
		}
		dst = append(dst, src[i])
	}
	return dst
}

func sameObligation(a, b *Obligation) bool {
	return a.Kind == b.Kind && a.Rule == b.Rule && slices.Equal(a.Values, b.Values)
}

// mergeAsk adds what one purpose asks to what is asked already: all purposes at
// the greatest strength. What is asked for is told of the decision that won.
func mergeAsk(sum, x, won *Ask) *Ask {
	if x == nil {
		return sum
	}
	if sum == nil {
		return &Ask{Purposes: slices.Clone(x.Purposes), Strength: x.Strength, From: x.From, What: won.What}
	}
	for _, p := range x.Purposes {
		if !slices.Contains(sum.Purposes, p) {
			sum.Purposes = append(sum.Purposes, p)
		}
	}
	a, _ := rankStrength(sum.Strength)
	b, _ := rankStrength(x.Strength)
	if b > a {
		sum.Strength = x.Strength
	}
	if x.From != sum.From { // from different people: together they give both
		sum.From = string(ByBoth)
	}
	return sum
}
