package bundle

// What bundles did not have at first stands in sections at the end of the body, one
// after the other. A bundle has them up to the last one that says something, so that
// one that needs none of them keeps its bytes, its meaning and its fingerprint.
type section struct {
	// format is the number of the wire format that has it: a reader that does not
	// know the section says that the bundle is newer, not that it is corrupt.
	format uint16
	empty  func(*Bundle) bool
	walk   func(*Bundle, *codec)
}

var sections = [...]section{
	{Format, func(b *Bundle) bool { return b.Classification.plain() }, func(b *Bundle, c *codec) { b.Classification.walkLater(c) }},
	{FormatTerms, (*Bundle).withoutTerms, (*Bundle).walkTerms},
	{FormatConsent, (*Bundle).withoutConsentTerms, (*Bundle).walkConsentTerms},
}

// later is how many sections the bundle has.
func (b *Bundle) later() int {
	for n := len(sections); n > 0; n-- {
		if !sections[n-1].empty(b) {
			return n
		}
	}
	return 0
}

// format is the number of the wire format that the bundle needs.
func (b *Bundle) format() uint16 {
	if n := b.later(); n > 0 {
		return sections[n-1].format
	}
	return Format
}

func (b *Bundle) walkLater(c *codec) {
	if !c.reading {
		for i := range b.later() {
			sections[i].walk(b, c)
		}
		return
	}
	for i := range sections {
		if c.failed || len(c.buf) == 0 {
			return
		}
		sections[i].walk(b, c)
		if len(c.buf) == 0 && sections[i].empty(b) {
			c.fail() // one spelling
		}
	}
}

// A Calendar knows on which days people work.
type Calendar struct {
	Name    string
	Weekend uint8   // bit 0: Sunday
	Free    []int64 // other days without work, counted from 1970-01-01, ascending
}

// Terms are the parts of a retention rule that bundles did not have at first.
type Terms struct {
	Fixed                              bool
	Count, Cutoff, Round, Roll, Method string
	Copies                             []string
	Stages                             Stages
	Schedule                           Schedule
}

// Stages are phases before, during and after the period of a rule.
type Stages struct{ Before, During, After Stage }

// A Stage is a phase in the life of data.
type Stage struct {
	Name  string
	Allow []string
}

// A Schedule says when people are told something.
type Schedule struct {
	Offsets  []string
	AtLeast  uint16
	Purpose  string
	Channels []string
}

func (t *Terms) empty() bool {
	sch := &t.Schedule
	return !t.Fixed && t.Count+t.Cutoff+t.Round+t.Roll+t.Method == "" && len(t.Copies) == 0 &&
		t.Stages.Before.empty() && t.Stages.During.empty() && t.Stages.After.empty() &&
		len(sch.Offsets)+len(sch.Channels) == 0 && sch.AtLeast == 0 && sch.Purpose == ""
}

func (s *Stage) empty() bool { return s.Name == "" && len(s.Allow) == 0 }

func (b *Bundle) withoutTerms() bool {
	if b.HoldGrace != "" || len(b.Calendars) > 0 {
		return false
	}
	for i := range b.Retention {
		if !b.Retention[i].Terms.empty() {
			return false
		}
	}
	return true
}

// located are the terms of one rule.
type located struct {
	rule  uint64 // its place in the list
	terms Terms
}

func (b *Bundle) walkTerms(c *codec) {
	var terms []located
	if !c.reading {
		for i := range b.Retention {
			if t := &b.Retention[i].Terms; !t.empty() {
				terms = append(terms, located{uint64(i), *t})
			}
		}
	}
	c.str(&b.HoldGrace)
	list(c, &b.Calendars, func(c *codec, k *Calendar) {
		c.str(&k.Name)
		c.u8(&k.Weekend)
		last := int64(0)
		list(c, &k.Free, func(c *codec, day *int64) {
			// Days stand close together: each is what it is after the one before.
			step := *day - last
			c.i64(&step)
			*day = last + step
			last = *day
		})
	})
	list(c, &terms, func(c *codec, l *located) {
		t := &l.terms
		c.u64(&l.rule)
		c.flag(&t.Fixed)
		for _, s := range []*string{&t.Count, &t.Cutoff, &t.Round, &t.Roll, &t.Method} {
			c.str(s)
		}
		c.strs(&t.Copies)
		for _, s := range []*Stage{&t.Stages.Before, &t.Stages.During, &t.Stages.After} {
			c.str(&s.Name)
			c.strs(&s.Allow)
		}
		c.strs(&t.Schedule.Offsets)
		c.u16(&t.Schedule.AtLeast)
		c.str(&t.Schedule.Purpose)
		c.strs(&t.Schedule.Channels)
	})
	if !c.reading {
		return
	}
	for i := range terms {
		l := &terms[i]
		if l.rule >= uint64(len(b.Retention)) || i > 0 && l.rule <= terms[i-1].rule || l.terms.empty() {
			c.fail()
			return
		}
		b.Retention[l.rule].Terms = l.terms
	}
}
