package privacy

import (
	"errors"
	"slices"
	"time"

	"github.com/privetdev/privet/internal/bundle"
	"github.com/privetdev/privet/retention"
)

var errRetentionForm = errors.New("privacy: open: a retention rule of the bundle is malformed; compile the policy again")

// retentionRules turns the wire form of a policy into what package retention takes.
func retentionRules(b *bundle.Bundle) ([]retention.Rule, []retention.Option, error) {
	var p parts
	var options []retention.Option
	if b.HoldGrace != "" {
		options = append(options, retention.WithHoldGrace(readAs(&p, b.HoldGrace, retention.ParsePeriod)))
	}
	out := make([]retention.Rule, len(b.Retention), len(b.Retention)+len(b.Obligations))
	for i := range b.Retention {
		r := &b.Retention[i]
		out[i] = retention.Rule{
			ID: r.ID, Source: r.Source, Topic: r.Topic,
			Kind: readAs(&p, r.Kind, retention.ParseKind), Strength: readAs(&p, r.Strength, retention.ParseStrength), Fixed: r.Fixed,
			Category: retention.Selector(r.Category), When: newCondition(r.When).forRetention(),
			Class: r.Class, Region: r.Region, Purpose: r.Purpose,
			Anchor: retention.Anchor(r.Anchor), After: r.After, Period: readAs(&p, r.Period, retention.ParsePeriod), Zone: r.Zone,
			MonthEnd: readOptional(&p, r.MonthEnd, retention.ParseMonthEnd), Count: readOptional(&p, r.Count, retention.ParseCount),
			Cutoff: readAs(&p, r.Cutoff, retention.ParseCutoff), Round: readAs(&p, r.Round, retention.ParseRounding),
			Roll: p.calendar(b, r.Roll), Copies: readAll(&p, r.Copies, retention.ParseCopy),
			Method:   readOptional(&p, r.Method, retention.ParseMethod),
			Stages:   retention.Stages{Before: retention.Stage(r.Stages.Before), During: retention.Stage(r.Stages.During), After: retention.Stage(r.Stages.After)},
			Schedule: retention.Schedule{Offsets: readAll(&p, r.Schedule.Offsets, retention.ParsePeriod), AtLeast: int(r.Schedule.AtLeast), Purpose: r.Schedule.Purpose, Channels: r.Schedule.Channels},
		}
	}
	out = append(out, deletions(&p, b)...)
	if p.malformed {
		return nil, nil, errRetentionForm
	}
	return out, options, nil
}

// parts remembers whether anything was malformed.
type parts struct{ malformed bool }

func readAs[T any](p *parts, text string, parse func(string) (T, error)) T {
	v, err := parse(text)
	p.malformed = p.malformed || err != nil
	return v
}

// readOptional leaves the zero value where nothing is said.
func readOptional[T any](p *parts, text string, parse func(string) (T, error)) (v T) {
	if text == "" {
		return v
	}
	return readAs(p, text, parse)
}

func readAll[T any](p *parts, texts []string, parse func(string) (T, error)) (out []T) {
	for _, text := range texts {
		out = append(out, readAs(p, text, parse))
	}
	return out
}

// calendar finds the calendar of a name; none for no name.
func (p *parts) calendar(b *bundle.Bundle, name string) retention.Calendar {
	if name == "" {
		return nil
	}
	i := slices.IndexFunc(b.Calendars, func(k bundle.Calendar) bool { return k.Name == name })
	if i < 0 || !slices.IsSorted(b.Calendars[i].Free) {
		p.malformed = true
		return nil
	}
	return workdays{&b.Calendars[i]}
}

// workdays are a week and days without work.
type workdays struct{ calendar *bundle.Calendar }

func (w workdays) Name() string { return w.calendar.Name }

// Working tells whether a day is neither of the weekend nor listed.
func (w workdays) Working(year int, month time.Month, day int) bool {
	t := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	if w.calendar.Weekend&(1<<t.Weekday()) != 0 {
		return false
	}
	_, free := slices.BinarySearch(w.calendar.Free, t.Unix()/86400)
	return !free
}

// RetentionWarnings lists what is worth a look in the policy's retention rules although
// it opens, in the order of the rules: those that can never decide anything. A policy
// that is laid over another may have such rules on purpose. Index counts the rules of
// the policy and of those that it extends.
func (b *Bundle) RetentionWarnings() []retention.Problem {
	rules, options, err := retentionRules(b.b)
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(retention.Validate(rules, options...), func(p retention.Problem) bool { return !p.Warning })
}
