package consentcmd

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/privetdev/privet/consent/ledger"
)

func newHistory(e *Env) *cobra.Command {
	var place Place
	var who subjectFlags
	var when asOfFlags
	c := &cobra.Command{
		Use:   "history",
		Short: "List the events of a person, in the order of the log, with both times",
		Long: `History prints every event of a person: its place in the log, its id, what was said, from
when it is true and when it was learned of. For a machine: consent export.`,
		Example: e.named(`  privet consent history --ledger consent --subject p1_1_4HkY
  privet consent history --ledger consent --known 2026-03-01 < subject`),
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			ctx := c.Context()
			asOf, err := when.get(time.Time{})
			if err != nil {
				return err
			}
			l, subject, err := opened(ctx, e, place, &who)
			if err != nil {
				return err
			}
			defer l.Close()
			var b bytes.Buffer
			table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
			fmt.Fprintln(table, "entry\tid\ttrue from\tknown\twhat\t")
			n := 0
			for ev, err := range l.Events(ctx, subject, asOf) {
				if err != nil {
					return err
				}
				n++
				known := stamp(ev.Known)
				if ev.Known.Equal(ev.Valid) {
					known = "at once"
				}
				what := strings.TrimSpace(string(ev.Kind) + " " + subjectOf(&ev))
				fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%s\n", ev.Seq, ev.ID, stamp(ev.Valid), known, clean(what), clean(strings.Join(details(&ev), ", ")))
			}
			_ = table.Flush() // into memory
			if n > 0 {
				return e.print(trimmed(b.Bytes()))
			}
			_, erased, err := count(ctx, e, l, subject)
			if err != nil {
				return err
			}
			if erased {
				e.say("erased: what was recorded of this subject can no longer be read by anybody")
			} else {
				e.say("nothing is recorded of this subject")
			}
			return nil
		},
	}
	place.register(c.Flags())
	who.register(c, e)
	when.register(c, "any")
	return c
}

// An envelopeLine is what remains readable of an event for good.
type envelopeLine struct {
	Seq        uint64    `json:"seq"`
	ID         string    `json:"id"`
	Kind       string    `json:"kind"`
	At         time.Time `json:"at,omitzero"`
	Known      time.Time `json:"known,omitzero"`
	Expires    time.Time `json:"expires,omitzero"`
	Purpose    string    `json:"purpose,omitempty"`
	Strength   string    `json:"strength,omitempty"`
	Notice     notice    `json:"notice,omitzero"`
	Text       string    `json:"text,omitempty"`
	Commitment string    `json:"commitment,omitempty"`
	Dropped    uint64    `json:"dropped,omitempty"`
	Why        string    `json:"why,omitempty"`
	Prev       string    `json:"prev"`
	Hash       string    `json:"hash"`
}

func hexOf(h ledger.Hash) string {
	if h == (ledger.Hash{}) {
		return ""
	}
	return hex.EncodeToString(h[:])
}

func newExport(e *Env) *cobra.Command {
	var place Place
	var who subjectFlags
	var envelopes bool
	c := &cobra.Command{
		Use:   "export",
		Short: "Write a person's history, or all envelopes, as JSON lines",
		Long: `Export writes every event of a person with all that was recorded, one JSON object a line:
for a request of access (GDPR Art. 15), or to take the history over into another ledger
with consent record --jsonl. It is personal data.

With --envelopes, it writes the open part of every entry of the log: what was said, for
which purpose, under which notice and when, with the hashes of the chain, and nothing
that says of whom.`,
		Example: e.named(`  privet consent export --ledger consent --subject p1_1_4HkY > history.jsonl
  privet consent export --ledger consent --envelopes | jq -r .purpose | sort | uniq -c`),
		Args: cobra.NoArgs,
	}
	place.register(c.Flags())
	who.register(c, e)
	c.Flags().BoolVar(&envelopes, "envelopes", false, "write the open part of every entry, of nobody in particular")
	c.RunE = func(c *cobra.Command, _ []string) error {
		ctx := c.Context()
		out := bufio.NewWriterSize(e.Stdout, 64<<10)
		write := func(v any) error {
			b, err := jsonLine(v)
			if err == nil {
				if _, err = out.Write(b); err != nil {
					return errors.New("cannot write the output: " + fileProblem(err))
				}
			}
			return err
		}
		n := 0
		if envelopes {
			if who.subject != "" {
				return mended("--subject and --envelopes do not go together", "envelopes are of nobody in particular")
			}
			store, err := e.store(ctx, place)
			if err != nil {
				return err
			}
			defer store.Close()
			for entry, err := range store.Entries(ctx, 0) {
				if err != nil {
					return err
				}
				v, err := ledger.ParseEnvelope(entry.Envelope)
				if err != nil {
					return &ledger.DamageError{Seq: entry.Seq, Problem: "the envelope is not the canonical encoding of one"}
				}
				hash := entry.Hash()
				l := envelopeLine{
					Seq: v.Seq, ID: v.ID, Kind: string(v.Kind), At: v.Valid, Known: v.Known, Expires: v.Expires, Purpose: v.Purpose,
					Strength: string(v.Strength), Notice: notice{v.Notice.ID, v.Notice.Version}, Text: hexOf(v.Text),
					Commitment: hexOf(v.Commitment), Dropped: v.Dropped, Why: groundOf(v.Why),
					Prev: hex.EncodeToString(v.Prev[:]), Hash: hex.EncodeToString(hash[:]),
				}
				if err := write(l); err != nil {
					return err
				}
				n++
			}
		} else {
			l, subject, err := opened(ctx, e, place, &who)
			if err != nil {
				return err
			}
			defer l.Close()
			for ev, err := range l.Events(ctx, subject, ledger.AsOf{}) {
				if err != nil {
					return err
				}
				one := lineOf(&ev)
				one.Subject = ev.Subject
				if err := write(one); err != nil {
					return err
				}
				n++
			}
		}
		if err := out.Flush(); err != nil {
			return errors.New("cannot write the output: " + fileProblem(err))
		}
		e.say("%s written", plural(uint64(n), "line"))
		return nil
	}
	return c
}
