package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/privetdev/privet/privacy"
)

func newExplain(e *env) *cobra.Command {
	var f common
	var field fieldFlags
	var byID, asJSON bool
	c := &cobra.Command{
		Use:   "explain EVENT [in]",
		Short: "Say for a person why one event was decided, or one field classified, as it was",
		Long: `Explain decides about one event of the input and says why, in words: for each
field what it is taken for, what was decided, by which rule of which document and
what was done, and how the deadlines come about. It shows no value of the event.

EVENT is the number of a line, from 1, or the id of an event.

With --name or --value it explains the classification of one field instead: which
rules hold and which parts of their conditions, what the confidence is made of, and
what became of every match in the value. Without --policy the built-in rules count.`,
		Example: `  privet explain 1 events.jsonl
  privet explain e0000017 events.jsonl --policy policy.yaml
  privet explain --id 17 events.jsonl        # an id that looks like a number
  privet explain --name user_email --value jane@example.com
  echo '{"at":"2026-03-28T10:00:00Z","purpose":"service.deliver","class":"service.required","fields":{"user_email":"jane@example.com"}}' | privet explain 1`,
		Args: func(c *cobra.Command, args []string) error {
			switch {
			case field.given(c) && len(args) > 0:
				return mended("an event and a field", "explain one thing at a time")
			case field.given(c):
				return nil
			case len(args) == 0:
				return mended("which event?", "name the number of its line or its id: privet explain 1 events.jsonl")
			case len(args) > 2:
				return mended("more than an event and an input", "explain one event at a time")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if field.given(c) {
				where := ""
				if c.Flags().Changed("policy") {
					where = f.policy
				}
				classifier, err := openClassifier(&f.pins, where)
				if err != nil {
					return err
				}
				return explainField(e, classifier, &field, asJSON)
			}
			if asJSON {
				return mended("--json without a field", "name one with --name or --value; for events see: privet process")
			}
			_, guard, err := f.guard(c.Context(), e)
			if err != nil {
				return err
			}
			in, err := openInput(argument(args, 1), e)
			if err != nil {
				return err
			}
			defer in.Close()
			number, err := strconv.Atoi(args[0])
			if err != nil || byID {
				number = 0
			}
			return explain(c.Context(), e, guard, in, number, args[0], f.maxLine)
		},
	}
	f.register(c)
	field.register(c, "explain")
	c.Flags().BoolVar(&asJSON, "json", false, "explain a field as JSON")
	c.Flags().BoolVar(&byID, "id", false, "EVENT is an id, even if it looks like a number")
	return c
}

// explain finds an event by its line, or by its id if number is 0.
func explain(ctx context.Context, e *env, guard *privacy.Guard, in *input, number int, id string, maxLine int) error {
	lines := newLineReader(in, in.head, maxLine)
	unreadable := 0
	for {
		b, err := lines.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return &readError{err}
		}
		at := b.first - 1
		if b.skip && number == b.first {
			return badEvent(number, tooLong(maxLine))
		}
		for line := range bytes.Lines(b.text) {
			at++
			if err := ctx.Err(); err != nil {
				return err
			}
			if number > 0 && at != number {
				continue
			}
			if at == 1 {
				line = bytes.TrimPrefix(line, byteOrderMark)
			}
			line = bytes.TrimSpace(line)
			if number == 0 && (len(line) == 0 || len(line) > maxLine) {
				continue
			}
			if len(line) > maxLine {
				return badEvent(at, tooLong(maxLine))
			}
			ev, err := privacy.DecodeEvent(line)
			if number == 0 && (err != nil || ev.ID != id) {
				if err != nil {
					unreadable++
				}
				continue
			}
			if len(line) == 0 {
				return badEvent(at, problem{text: "an empty line"})
			}
			if err != nil {
				return badEvent(at, problemOf(err))
			}
			res, err := guard.Explain(ctx, ev)
			if err != nil {
				return badEvent(at, problemOf(err))
			}
			_, err = io.WriteString(e.stdout, strings.TrimRight(res.Explain(), "\n")+"\n")
			return err
		}
		lines.release(b)
	}
	if number > 0 {
		return mended(fmt.Sprintf("%s has no line %s", in.name, group(number)), "count from 1; for an id that looks like a number say --id")
	}
	if unreadable > 0 {
		return mended("no event has that id; "+plural(unreadable, "line")+" could not be read", "see which with: privet process")
	}
	return errors.New("no event has that id")
}

func badEvent(line int, p problem) error {
	return &status{exitBad, fmt.Sprintf("line %s: %s", group(line), p)}
}
