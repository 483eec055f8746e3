package consentcmd

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/privetdev/privet/consent"
	"github.com/privetdev/privet/consent/ledger"
)

// recordFlags say what is recorded.
type recordFlags struct {
	place                                  Place
	who                                    subjectFlags
	state, strength, notice, text, by      string
	at, known, expires                     string
	id, method, evidence, note             string
	purpose, operation, channel, recipient string
	service, from, to                      string
	attributes                             []string
	jsonl                                  string
	conflict                               bool
}

// register adds the flags that giving and taking back have in common.
func (f *recordFlags) register(c *cobra.Command, e *Env) {
	flags := c.Flags()
	f.place.register(flags)
	f.who.register(c, e)
	flags.StringVar(&f.purpose, "purpose", "", "`purpose`, a dotted key of your policy")
	flags.StringVar(&f.channel, "channel", "", "only by this `channel`, such as email")
	flags.StringVar(&f.recipient, "recipient", "", "only for sharing with this `recipient`")
	flags.StringVar(&f.operation, "operation", "", "only for this `operation`: use, promote, combine, share, …")
	flags.StringVar(&f.service, "service", "", "the `service` that asked")
	flags.StringVar(&f.from, "from", "", "`class` that a promotion is from")
	flags.StringVar(&f.to, "to", "", "`class` that a promotion is to")
	flags.StringSliceVar(&f.attributes, "attribute", nil, "`attribute` that may be shared; give it again for more")
	flags.StringVar(&f.strength, "strength", "", "how it was given: implied, expressed or explicit (default of a grant: expressed)")
	flags.StringVar(&f.notice, "notice", "", "what the person was shown, as `id@version`")
	flags.StringVar(&f.text, "notice-text", "", "`file` with the exact text that was shown; its SHA-256 is recorded")
	flags.StringVar(&f.expires, "expires", "", "`instant` at which a grant ends")
	flags.StringVar(&f.at, "at", "", "`instant` from which it is true (default: now)")
	flags.StringVar(&f.known, "known", "", "`instant` at which it was learned of (default: now)")
	flags.StringVar(&f.by, "by", "", "`who` said it: subject, guardian or both together (default: the subject)")
	flags.BoolVar(&f.conflict, "after-conflict", false, "it was said after notice that an opt-out signal of the person says otherwise")
	flags.StringVar(&f.method, "method", "", "`how`, such as checkbox or phone")
	flags.StringVar(&f.evidence, "evidence", "", "`where` the proof lies; sealed with the subject's key")
	flags.StringVar(&f.note, "note", "", "free `text`; sealed with the subject's key")
	flags.StringVar(&f.id, "id", "", "`id` of the event, so that recording it again does nothing; nothing of the person (default: given by the ledger)")
}

func newRecord(e *Env) *cobra.Command {
	f := &recordFlags{}
	c := &cobra.Command{
		Use:   "record",
		Short: "Record what a person said; makes the ledger if there is none",
		Long: `Record adds an event to the ledger: that a person was asked, agreed, refused, objected
or took something back. It is on disk when the command ends.

States: requested, deferred, denied, granted, renewed, withdrawn, objected, invalidated,
terminated; and without a purpose restricted and released (GDPR Art. 18).

With --jsonl, it records one event a line, of many subjects, also claims, merges and
erasures: what consent export writes, and

  {"subject":…,"kind":"granted","purpose":…,"at":"2026-03-28T10:00:00Z"}

A bad line is told by its number, never by its content, and the others are recorded.
To record the same again does nothing.

Exit status: 0 recorded, 1 some lines were bad, 2 could not.`,
		Example: e.named(`  privet consent record --ledger consent --subject p1_1_4HkY --purpose newsletter --notice privacy@3
  privet consent record --ledger consent --purpose newsletter --channel email --expires 2027-04-01 < subject
  privet consent record --ledger consent --subject p1_1_4HkY --purpose profiling --state objected --method letter --at 2026-03-25
  privet consent record --ledger consent --jsonl history.jsonl`),
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if f.jsonl == "" {
				return f.one(c.Context(), e, ledger.Kind(f.state))
			}
			for _, name := range []string{"subject", "state", "purpose", "at", "id", "channel", "recipient", "operation", "service", "from", "to", "attribute", "strength", "notice", "notice-text", "expires", "by", "after-conflict", "method", "evidence", "note"} {
				if c.Flags().Changed(name) {
					return mended("--"+name+" and --jsonl do not go together", "each line says what it records")
				}
			}
			return f.many(c.Context(), e)
		},
	}
	f.register(c, e)
	c.Flags().StringVar(&f.state, "state", string(ledger.KindGranted), "`what` was said")
	c.Flags().StringVar(&f.jsonl, "jsonl", "", "record the events of this `file`, one JSON object a line; - is standard input")
	return c
}

func newWithdraw(e *Env) *cobra.Command {
	f := &recordFlags{}
	c := &cobra.Command{
		Use:   "withdraw",
		Short: "Record that a person takes consent back; takes what record takes",
		Long: `Withdraw adds to the ledger that a person takes back what they agreed to. It takes the
parameters of consent record, so that taking back is as easy as giving (GDPR Art. 7(3)).
What a withdrawal does not narrow down it takes back whole: without --channel by every
channel, without --recipient for every recipient.

Exit status: 0 recorded, 2 could not.`,
		Example: e.named(`  privet consent withdraw --ledger consent --subject p1_1_4HkY --purpose newsletter
  privet consent withdraw --ledger consent --purpose newsletter --channel email < subject`),
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return f.one(c.Context(), e, ledger.KindWithdrawn) },
	}
	f.register(c, e)
	return c
}

// states are the kinds that --state names.
var states = []ledger.Kind{
	ledger.KindRequested, ledger.KindDeferred, ledger.KindDenied, ledger.KindGranted, ledger.KindRenewed, ledger.KindWithdrawn,
	ledger.KindObjected, ledger.KindInvalidated, ledger.KindTerminated, ledger.KindRestricted, ledger.KindReleased,
}

// event is what the flags say, but for the subject.
func (f *recordFlags) event(kind ledger.Kind, now time.Time) (ledger.Event, error) {
	ev := ledger.Event{
		ID: f.id, Kind: kind,
		Scope: consent.Scope{
			Purpose: f.purpose, Operation: consent.Operation(f.operation), Channel: f.channel, Recipient: f.recipient,
			Service: f.service, From: f.from, To: f.to, Attributes: f.attributes,
		},
		Strength: consent.Strength(f.strength), By: consent.Giver(f.by), AfterConflict: f.conflict, Method: f.method, Evidence: f.evidence, Note: f.note,
	}
	if !slices.Contains(states, kind) {
		return ev, mended("--state is none that can be said", "use granted, withdrawn, denied, objected or another of consent record --help; an erasure is consent erase")
	}
	aboutAll := kind == ledger.KindRestricted || kind == ledger.KindReleased
	if f.purpose == "" && !aboutAll {
		return ev, mended("for which purpose?", "give --purpose, a dotted key of your policy")
	}
	if gives(kind) && ev.Strength == "" {
		ev.Strength = consent.Expressed
	}
	if f.notice != "" {
		// A version has no @, and an id may.
		at := strings.LastIndexByte(f.notice, '@')
		if at < 1 || at == len(f.notice)-1 {
			return ev, mended("--notice is not an id and a version", "write for example: --notice privacy@3")
		}
		ev.Notice = consent.NoticeRef{ID: f.notice[:at], Version: f.notice[at+1:]}
	}
	var err error
	if f.text != "" {
		if ev.Text, err = hashFile(f.text); err != nil {
			return ev, err
		}
	}
	if ev.Valid, err = maybe("--at", f.at, now); err != nil {
		return ev, err
	}
	// What is recorded now is learned of now, whenever it became true.
	if ev.Known, err = f.learned(now); err != nil {
		return ev, err
	}
	ev.Expires, err = maybe("--expires", f.expires, time.Time{})
	return ev, err
}

// learned is when the ledger learned of what is recorded: not in time to come, or
// whatever is recorded next of the subject would be known as late.
func (f *recordFlags) learned(now time.Time) (time.Time, error) {
	known, err := maybe("--known", f.known, now)
	if err == nil && known.After(now) {
		return known, mended("--known is in the future", "leave it out: what is recorded is known from now on; --at may lie ahead")
	}
	return known, err
}

// hashFile hashes a text that was shown.
func hashFile(path string) (ledger.Hash, error) {
	var h ledger.Hash
	file, err := os.Open(path)
	if err == nil {
		defer file.Close()
		sum := sha256.New()
		_, err = io.Copy(sum, file)
		sum.Sum(h[:0])
	}
	if err != nil {
		return ledger.Hash{}, errors.New("cannot read the text " + path + ": " + fileProblem(err))
	}
	return h, nil
}

// one records one event.
func (f *recordFlags) one(ctx context.Context, e *Env, kind ledger.Kind) error {
	ev, err := f.event(kind, e.Now().UTC())
	if err != nil {
		return err
	}
	if _, err := backendOf(f.place.Ledger, e.SQL); err != nil {
		return err // before anybody is asked for a subject
	}
	if ev.Subject, err = f.who.get(ctx, e); err != nil {
		return err
	}
	// What is malformed makes no ledger.
	if _, err := ledger.NewMemory().Append(ctx, ev); err != nil {
		return err
	}
	l, err := e.open(ctx, f.place, Making)
	if err != nil {
		return err
	}
	defer l.Close()
	if _, err := l.Append(ctx, ev); err != nil {
		return err
	}
	// The event as it is recorded has its place and its id.
	var recorded ledger.Event
	for got, err := range l.Events(ctx, ev.Subject, ledger.AsOf{}) {
		if err != nil {
			return err
		}
		if got.Kind == ev.Kind && got.Valid.Equal(ev.Valid) && got.Scope.Purpose == ev.Scope.Purpose && (ev.ID == "" || got.ID == ev.ID) {
			recorded = got
		}
	}
	text := string(recorded.Kind)
	if recorded.Scope.Purpose != "" {
		text += " " + recorded.Scope.Purpose
	}
	return e.print([]byte(clean("recorded as "+recorded.ID+": "+text+", from "+stamp(recorded.Valid)+", known "+stamp(recorded.Known)+", entry "+grouped(recorded.Seq)) + "\n"))
}
