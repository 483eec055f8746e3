package consentcmd

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/privetdev/privet/consent/ledger"
)

func newProve(e *Env) *cobra.Command {
	var place Place
	var who subjectFlags
	var opening, continues string
	c := &cobra.Command{
		Use:   "prove ID",
		Short: "Write a proof that an event is part of the log, which holds without the ledger",
		Long: `Prove writes a proof that the event with this id is part of the log: that somebody said
this, for this purpose, under this notice, at this time; not who. It is a few hundred
bytes, is checked by consent check without the ledger, and holds after the person was
erased.

With --opening, it also writes what shows whose event it is, while that person's key
lives: personal data, which holds for ever once it was given away.

With --continues, it writes instead of it a proof that the log as it is now only grew
since a head that was signed before, or since another proof.`,
		Example: e.named(`  privet consent prove e1 --ledger consent > proof.json
  privet consent prove e1 --ledger consent --opening opening.json --subject p1_1_4HkY > proof.json
  privet consent prove --continues old-proof.json --ledger consent > continues.json`),
		Args: cobra.MaximumNArgs(1),
	}
	place.register(c.Flags())
	who.register(c, e)
	c.Flags().StringVar(&opening, "opening", "", "write to this new `file` what shows whose event it is")
	c.Flags().StringVar(&continues, "continues", "", "prove that the log continues the head in this `file`, a signed head or a proof")
	c.RunE = func(c *cobra.Command, args []string) error {
		ctx := c.Context()
		var old ledger.Head
		switch {
		case len(args) == 0 && continues == "":
			return mended("which event?", "name its id: "+e.Program+" consent history lists them")
		case continues != "" && (len(args) > 0 || opening != ""):
			return mended("--continues stands alone", "prove an event in a run of its own")
		case continues != "":
			var err error
			if old, err = anyHead(e, continues); err != nil {
				return err
			}
		}
		subject := ""
		if opening != "" {
			var err error
			if subject, err = who.get(ctx, e); err != nil {
				return err
			}
		}
		l, err := e.open(ctx, place, Reading)
		if err != nil {
			return err
		}
		defer l.Close()
		var document json.Marshaler
		if continues != "" {
			consistency, err := l.ProveConsistency(ctx, old)
			if err != nil {
				return proofProblem(err)
			}
			document = consistency
		} else {
			proof, err := l.Prove(ctx, args[0])
			if err != nil {
				return proofProblem(err)
			}
			document = proof
		}
		if opening != "" {
			o, err := l.Open(ctx, subject, args[0])
			if err != nil {
				return proofProblem(err)
			}
			b, err := o.MarshalJSON()
			if err != nil {
				return err
			}
			if err := writeNew(opening, append(b, '\n')); err != nil {
				return err
			}
		}
		b, err := document.MarshalJSON()
		if err != nil {
			return err
		}
		return e.print(append(b, '\n'))
	}
	return c
}

// proofProblem says why there is no proof.
func proofProblem(err error) error {
	if errors.Is(err, ledger.ErrNotFound) {
		return mended("ledger: no event has this id, or none of this subject", "consent history lists the events of a subject")
	}
	var damage *ledger.DamageError
	if errors.As(err, &damage) {
		return mended("ledger: "+problemText(damage), "see what is wrong with: consent verify")
	}
	return err
}

// writeNew writes personal data into a file that is not there yet, for its owner only.
func writeNew(path string, b []byte) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) {
		return mended("the file "+path+" exists and is not written over", "choose another name")
	}
	if err == nil {
		_, err = file.Write(b)
		if e := file.Close(); err == nil {
			err = e
		}
	}
	if err != nil {
		return errors.New("cannot write " + path + ": " + fileProblem(err))
	}
	return nil
}

// anyHead reads the head of a signed head, the last one of a file, or of a proof.
func anyHead(e *Env, path string) (ledger.Head, error) {
	b, err := readDocument(e, "head", path)
	if err != nil {
		return ledger.Head{}, err
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	last := []byte(lines[len(lines)-1])
	var signed ledger.SignedHead
	if signed.UnmarshalJSON(last) == nil {
		return signed.Head, nil
	}
	var proof ledger.Proof
	if proof.UnmarshalJSON(last) == nil {
		return proof.Head, nil
	}
	return ledger.Head{}, notA("head", path)
}

func newCheck(e *Env) *cobra.Command {
	var trust trustFlags
	var continues, opening string
	c := &cobra.Command{
		Use:   "check PROOF",
		Short: "Check a proof without the ledger",
		Long: `Check says whether a proof that consent prove wrote holds, and what it shows. It needs no
ledger.

A proof by itself shows that the event is part of some log. With --head and --public-key,
it shows that it is part of the one that was vouched for: either that head is the one of
the proof, or --continues shows that the one continues the other.

Exit status: 0 it holds, 1 it does not, 2 could not check.`,
		Example: e.named(`  privet consent check proof.json
  privet consent check proof.json --head heads.jsonl --public-key witness.key.pub
  privet consent check proof.json --head heads.jsonl --public-key witness.key.pub --continues continues.json
  privet consent check proof.json --opening opening.json`),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return mended("which proof?", "name one file, or - for standard input")
			}
			return nil
		},
	}
	trust.register(c)
	c.Flags().StringVar(&continues, "continues", "", "`file` with the proof that one of the heads continues the other")
	c.Flags().StringVar(&opening, "opening", "", "`file` that shows whose event it is; prints all that was recorded with it")
	c.RunE = func(_ *cobra.Command, args []string) error {
		heads, key, err := trust.get(e)
		if err != nil {
			return err
		}
		if continues != "" && len(heads) == 0 {
			return mended("--continues leads from a proof to a head", "name a signed head with --head")
		}
		var proof ledger.Proof
		if err := decoded(e, "proof", args[0], &proof); err != nil {
			return err
		}
		var consistency *ledger.Consistency
		if continues != "" {
			consistency = new(ledger.Consistency)
			if err := decoded(e, "proof of consistency", continues, consistency); err != nil {
				return err
			}
		}
		var open *ledger.Opening
		if opening != "" {
			open = new(ledger.Opening)
			if err := decoded(e, "opening", opening, open); err != nil {
				return err
			}
		}
		envelope, err := proof.Check()
		if err != nil {
			return e.refuted("the proof does not hold: it was altered, or put together from parts of different ones")
		}
		vouched := ""
		if len(heads) > 0 {
			var problem string
			for i := range heads {
				h := &heads[i]
				if h.Check(key) != nil {
					return e.refuted("a signed head was not signed with this key, or altered")
				}
				switch {
				case h.Head == proof.Head:
					vouched = "signed " + stamp(h.At)
				case consistency == nil:
				case (consistency.Old == proof.Head && consistency.New == h.Head) || (consistency.Old == h.Head && consistency.New == proof.Head):
					switch {
					case consistency.Check() != nil:
						problem = "the proof of consistency does not hold"
						continue
					case envelope.Seq > h.Head.Seq:
						// Whoever knows a log can make one that continues it.
						problem = "the event is later than the signed head, which vouches for nothing after it; have a later head signed"
						continue
					}
					vouched = "signed " + stamp(h.At) + ", with entries " + grouped(h.Head.Seq)
				}
			}
			if vouched == "" {
				if problem == "" {
					problem = "the proof is of another state of the log than the signed heads"
					if consistency == nil {
						problem += ", or of another log; lead from one to the other with: consent prove --continues, and check with --continues"
					} else {
						problem += ", and the proof of consistency is not between the two"
					}
				}
				return e.refuted(problem)
			}
		}
		var event *ledger.Event
		if open != nil {
			ev, err := open.Check(envelope)
			if err != nil {
				return e.refuted("the proof holds, but the opening is not of this event")
			}
			event = &ev
		}
		text := "the proof holds: entry " + grouped(envelope.Seq) + " of " + grouped(proof.Head.Seq) + "\n" + envelopeText(&envelope)
		if vouched != "" {
			text += "head     " + vouched + "\n"
		}
		text += "root     " + hex.EncodeToString(proof.Head.Root[:]) + "\n"
		if err := e.print([]byte(text)); err != nil {
			return err
		}
		if vouched == "" {
			e.say("compare the root with one that you trust, or give a signed head with --head")
		}
		if event == nil {
			return nil
		}
		event.Seq = envelope.Seq
		one := lineOf(event)
		one.Subject = event.Subject
		b, err := jsonLine(one)
		if err != nil {
			return err
		}
		return e.print(b)
	}
	return c
}

// refuted says on standard output that something does not hold.
func (e *Env) refuted(problem string) error {
	if err := e.print([]byte(problem + "\n")); err != nil {
		return err
	}
	return ErrBad
}

// envelopeText is what an envelope says, for a person.
func envelopeText(v *ledger.Envelope) string {
	var b strings.Builder
	row := func(label, value string) {
		if value != "" {
			b.WriteString((label + "         ")[:9] + clean(value) + "\n")
		}
	}
	row("id", v.ID)
	row("what", strings.TrimSpace(string(v.Kind)+" "+v.Purpose))
	row("true", "from "+stamp(v.Valid))
	row("known", "at "+stamp(v.Known))
	row("expires", stamp(v.Expires))
	row("strength", string(v.Strength))
	if v.Notice.ID != "" {
		row("notice", v.Notice.ID+"@"+v.Notice.Version)
	}
	row("text", hexOf(v.Text))
	if v.Kind == ledger.KindErased {
		row("dropped", plural(v.Dropped, "payload")+", on "+groundOf(v.Why))
	}
	return b.String()
}
