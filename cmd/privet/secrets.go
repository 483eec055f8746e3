package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/privetdev/privet/privacy/pseudonym"
	"github.com/privetdev/privet/privacy/pseudonym/secretfile"
)

// keyVariable holds the key of a store.
const keyVariable = "PRIVET_KEYS_KEY"

func newKeys(e *env) *cobra.Command {
	c := &cobra.Command{
		Use:   "keys",
		Short: "Make, rotate and destroy the secrets that pseudonyms are made with",
		Long: `Keys looks after a store of secrets: an encrypted file, and beside it a file of
tombstones, which remembers what was made and what was destroyed. A tombstone wins: a
secret that was destroyed does not come back with an older copy of the store.

The store is opened by a key of 32 random bytes in base64 or hexadecimal, which stands
in the variable ` + keyVariable + `. Keep it away from the store. Keys never prints it, nor
any secret.`,
		Example: `  export ` + keyVariable + `=$(openssl rand -base64 32)
  privet keys init secrets.privet contoso
  privet keys rotate secrets.privet contoso
  privet keys list secrets.privet`,
		Args: knownKeysCommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newKeysInit(e), newKeysRotate(e), newKeysList(e), newKeysDestroy(e))
	return c
}

func knownKeysCommand(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return mended("there is no command keys "+strconv.Quote(args[0]), "see: privet keys --help")
}

// A secretsFlags are what the commands of the group have in common.
type secretsFlags struct {
	variable   string
	tombstones string
	minimum    uint64
}

func (f *secretsFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&f.variable, "key-env", keyVariable, "`variable` of the environment that holds the key of the store")
	c.Flags().StringVar(&f.tombstones, "tombstones", "", "`file` of tombstones, best on another disk (default: the store's name with .tombstones)")
}

// key reads the key of a store; mend says what to do if it is not set.
func (f *secretsFlags) key(mend string) (secretfile.Key, error) {
	text, found := os.LookupEnv(f.variable)
	if !found || strings.TrimSpace(text) == "" {
		return secretfile.Key{}, mended("the key of the store is not set", mend)
	}
	key, err := secretfile.ParseKey(text)
	if err != nil {
		return secretfile.Key{}, mended("the key in "+f.variable+" is not 32 random bytes in base64 or hexadecimal", "make one with: openssl rand -base64 32")
	}
	return key, nil
}

func (f *secretsFlags) options(more []secretfile.Option) []secretfile.Option {
	if f.tombstones != "" {
		more = append(more, secretfile.WithTombstones(f.tombstones))
	}
	if f.minimum > 0 {
		more = append(more, secretfile.WithMinimum(f.minimum))
	}
	return more
}

func (f *secretsFlags) open(ctx context.Context, path string, more ...secretfile.Option) (*secretfile.Store, error) {
	key, err := f.key("put the key that the store was made with into " + f.variable)
	if err != nil {
		return nil, err
	}
	store, err := secretfile.Open(ctx, path, key, f.options(more)...)
	return store, secretsProblem(err)
}

// secretsProblem says what a store reported in the words of a command.
func secretsProblem(err error) error {
	var file *secretfile.FileError
	var held *pseudonym.HeldError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &file):
		return mended("keys: "+file.Path+": "+file.Problem, file.Mend)
	case errors.As(err, &held):
		return errors.New("keys: " + heldText(held))
	}
	text := err.Error()
	for _, prefix := range []string{"secretfile: ", "pseudonym: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	return errors.New("keys: " + text)
}

func heldText(held *pseudonym.HeldError) string {
	text := fmt.Sprintf("%s version %d is held", held.Target.Tenant, held.Target.Version)
	if held.By != "" {
		text += " by " + held.By
	}
	return text + " and is not destroyed; wait until the hold is lifted"
}

func newKeysInit(e *env) *cobra.Command {
	var f secretsFlags
	var plain string
	c := &cobra.Command{
		Use:   "init STORE [TENANT…]",
		Short: "Make a store, with a first secret for each tenant",
		Long: `Init makes a store and, for each tenant that is named, version 1 of its secret. The
store can be read by you alone. A file that exists is never written over.

With --import, it takes over the secrets of a plain file with lines "tenant version
secret", so that their pseudonyms stay what they are. Destroy the plain file then.`,
		Example: `  privet keys init secrets.privet contoso fabrikam
  privet keys init secrets.privet --tombstones /mnt/other/secrets.tombstones
  privet keys init secrets.privet --import keys`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			key, err := f.key("set it to 32 random bytes: export " + f.variable + "=$(openssl rand -base64 32)")
			if err != nil {
				return err
			}
			// What cannot be a tenant is told before anything is made.
			for i, tenant := range args[1:] {
				if strings.TrimSpace(tenant) == "" || len(tenant) > 255 || strings.ContainsFunc(tenant, isControl) {
					return mended(fmt.Sprintf("keys: tenant %d cannot be used", i+1), "use 1 to 255 bytes of printable text")
				}
			}
			var old []byte
			if plain != "" {
				if old, err = readPlain(plain); err != nil {
					return err
				}
				defer clear(old)
			}
			store, err := secretfile.Create(c.Context(), args[0], key, f.options(nil)...)
			if err != nil {
				return secretsProblem(err)
			}
			fmt.Fprintf(e.stderr, "made %s, which the key in %s opens\n", args[0], f.variable)
			if old != nil {
				n := 0
				err := eachKey(bytes.NewReader(old), plain, func(tenant string, version uint32, secret []byte) error {
					n++
					return store.Import(c.Context(), tenant, version, secret)
				})
				if err != nil {
					return err
				}
				fmt.Fprintf(e.stderr, "took over %s of %s: destroy that file\n", plural(n, "secret"), plain)
			}
			for _, tenant := range args[1:] {
				if err := generate(c.Context(), e, store, tenant); err != nil {
					return err
				}
			}
			return nil
		},
	}
	f.register(c)
	c.Flags().StringVar(&plain, "import", "", "take over the secrets of a plain `file`, under their versions")
	return c
}

// readPlain reads a plain file of keys, and sees that all of it can be used before a
// store is made of it.
func readPlain(path string) ([]byte, error) {
	if err := regularFile("keys", path, "name the file in it"); err != nil {
		return nil, err
	}
	text, err := readHead(path, maxPlainKeys+1)
	if err != nil {
		return nil, fmt.Errorf("cannot read the keys %s: %s", path, fileProblem(err))
	}
	if len(text) > maxPlainKeys {
		return nil, mended("keys: "+path+" is larger than "+size(maxPlainKeys), "is it a file of keys?")
	}
	if secretfile.IsStore(text) {
		return nil, mended("keys: "+path+" is a store already", "copy it with its tombstones, or open it where it is")
	}
	_, err = readKeys(bytes.NewReader(text), path)
	return text, err
}

// maxPlainKeys bounds what is taken over at once.
const maxPlainKeys = 16 << 20

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

func generate(ctx context.Context, e *env, store *secretfile.Store, tenant string) error {
	version, err := store.Generate(ctx, tenant)
	if err != nil {
		return secretsProblem(err)
	}
	fmt.Fprintf(e.stderr, "%s version %d: new pseudonyms are made with it\n", tenant, version)
	return nil
}

func newKeysRotate(e *env) *cobra.Command {
	var f secretsFlags
	c := &cobra.Command{
		Use:   "rotate STORE TENANT…",
		Short: "Make the next secret of a tenant; older ones stay for look-ups",
		Long: `Rotate makes the next version of a tenant's secret, also the first. New pseudonyms
are made with it by every program that opens the store from now on. Those of older
versions are found as long as their secret is not destroyed.`,
		Example: `  privet keys rotate secrets.privet contoso`,
		Args:    cobra.MinimumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			for i, tenant := range args[1:] {
				if strings.ContainsFunc(tenant, isControl) {
					return mended(fmt.Sprintf("keys: tenant %d cannot be used", i+1), "use 1 to 255 bytes of printable text")
				}
			}
			store, err := f.open(c.Context(), args[0])
			if err != nil {
				return err
			}
			for _, tenant := range args[1:] {
				if err := generate(c.Context(), e, store, tenant); err != nil {
					return err
				}
			}
			return nil
		},
	}
	f.register(c)
	return c
}

// A secretLine is what list --json prints of a version.
type secretLine struct {
	Tenant  string     `json:"tenant"`
	Version uint32     `json:"version"`
	State   string     `json:"state"`
	Check   string     `json:"check"`
	Until   *time.Time `json:"until,omitempty"`
	At      *time.Time `json:"at,omitempty"`
	Copies  *time.Time `json:"copies,omitempty"`
	Actor   string     `json:"actor,omitempty"`
	Reason  string     `json:"reason,omitempty"`
}

func newKeysList(e *env) *cobra.Command {
	var f secretsFlags
	var asJSON bool
	c := &cobra.Command{
		Use:   "list STORE [TENANT]",
		Short: "Show which secrets there are, and which there were",
		Long: `List shows every version that was ever made, of one tenant or of all:

  live        pseudonyms are made with it, or looked up
  pending     out of use until it is destroyed; can be called off
  destroyed   gone: nobody can make its pseudonyms again
  missing     made once and not in the store: an older copy was put back

The check value tells one secret from another and gives nothing away. The generation
counts the writes of the tombstones: note it elsewhere, and --minimum notices when both
files were put back from an older backup. No key and no secret is ever shown.`,
		Example: `  privet keys list secrets.privet
  privet keys list secrets.privet contoso --json`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			store, err := f.open(c.Context(), args[0])
			if err != nil {
				return err
			}
			tenant := ""
			if len(args) == 2 {
				tenant = args[1]
			}
			all, err := store.Status(c.Context(), tenant)
			if err != nil {
				return secretsProblem(err)
			}
			info, err := store.Info(c.Context())
			if err != nil {
				return secretsProblem(err)
			}
			if len(all) == 0 && tenant != "" {
				return mended("keys: "+args[0]+" has no secret of this tenant", "make one with: privet keys rotate "+args[0]+" TENANT")
			}
			if asJSON {
				out := json.NewEncoder(e.stdout)
				out.SetEscapeHTML(false)
				for _, st := range all {
					line := secretLine{
						Tenant: st.Tenant, Version: st.Version, State: st.State.String(), Check: st.Check.String(),
						Until: orNil(st.Until), At: orNil(st.Destruction.At), Copies: orNil(st.Destruction.Copies),
						Actor: st.Destruction.Actor, Reason: st.Destruction.Reason,
					}
					if err := out.Encode(line); err != nil {
						return &writeError{err}
					}
				}
				return nil
			}
			return listSecrets(e, all, info, tenant == "")
		},
	}
	f.register(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	c.Flags().Uint64Var(&f.minimum, "minimum", 0, "refuse tombstones of a generation below this `number`")
	return c
}

func orNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func listSecrets(e *env, all []pseudonym.Status, info secretfile.Info, totals bool) error {
	table := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	// The newest live version of a tenant is what new pseudonyms are made with.
	newest := map[string]uint32{}
	for _, st := range all {
		if st.State == pseudonym.StateLive {
			newest[st.Tenant] = max(newest[st.Tenant], st.Version)
		}
	}
	for _, st := range all {
		note := ""
		switch st.State {
		case pseudonym.StateLive:
			note = "for look-ups"
			if newest[st.Tenant] == st.Version {
				note = "for new pseudonyms"
			}
		case pseudonym.StatePending:
			note = "until " + moment(st.Until) + ", " + who(st.Destruction)
		case pseudonym.StateDestroyed:
			note = moment(st.Destruction.At) + " " + who(st.Destruction)
			if !st.Complete(e.now()) {
				note += "; copies elsewhere until " + moment(st.Destruction.Copies)
			}
		case pseudonym.StateMissing:
			note = "put the newest copy of the store back"
		}
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\n", printable(st.Tenant), st.Version, st.State, st.Check, note)
	}
	if err := table.Flush(); err != nil {
		return &writeError{err}
	}
	if totals {
		fmt.Fprintf(e.stderr, "%s of %s, %s; generation %d\n", plural(len(all), "version"), plural(info.Tenants, "tenant"), plural(info.Subjects, "subject"), info.Generation)
	}
	return nil
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "at a time not given"
	}
	return t.UTC().Format(time.RFC3339)
}

func who(d pseudonym.Destruction) string {
	return "by " + d.Actor + ": " + d.Reason
}

// printable keeps what a store was given by other programs from steering a terminal.
func printable(s string) string {
	if strings.ContainsFunc(s, isControl) {
		return strconv.Quote(s)
	}
	return s
}

func newKeysDestroy(e *env) *cobra.Command {
	var f secretsFlags
	var actor, reason, pending, copies, holdFile string
	var cancel, due bool
	c := &cobra.Command{
		Use:   "destroy STORE [TENANT VERSION]",
		Short: "Destroy a secret, so that nobody can make its pseudonyms again",
		Long: `Destroy takes a secret out of the store for good and leaves a tombstone with the
time, who did it and why. Nobody can lead its pseudonyms back to persons after that, nor
make them again; records that hold them stay linked among themselves. Programs that have
the store open keep what they derived until they open it anew.

With --pending, the secret is out of use at once and destroyed later, by a run with --due
after that time; until then --cancel brings it back. The time is a date, a moment, or a
number of days from now, such as 30d.

Copies of the store in a backup still hold the secret: say with --copies until when there
are some. A hold file names what must not be destroyed, one hold a line: tenant, version
or * for all, and a reference of the hold:

  contoso * order-2026-17`,
		Example: `  privet keys destroy secrets.privet contoso 1 --actor ops --reason "the customer left"
  privet keys destroy secrets.privet contoso 1 --actor ops --reason "the customer left" --pending 30d --hold-file holds
  privet keys destroy secrets.privet contoso 1 --cancel
  privet keys destroy secrets.privet --due --hold-file holds`,
		Args: cobra.RangeArgs(1, 3),
		RunE: func(c *cobra.Command, args []string) error {
			if due && cancel || (due || cancel) && (pending != "" || copies != "" || actor != "" || reason != "") {
				return mended("these flags do not go together", "--due and --cancel stand alone")
			}
			if due != (len(args) == 1) || len(args) == 2 {
				return mended("what is to be destroyed?", "name a tenant and a version, or give --due alone: privet keys destroy STORE TENANT VERSION")
			}
			var options []secretfile.Option
			if holdFile != "" {
				holds, err := loadHolds(holdFile)
				if err != nil {
					return err
				}
				options = append(options, secretfile.WithHolds(holds))
			}
			now := e.now()
			if due {
				store, err := f.open(c.Context(), args[0], options...)
				if err != nil {
					return err
				}
				return destroyDue(c.Context(), e, store, now)
			}
			version, err := strconv.ParseUint(args[2], 10, 32)
			if err != nil || version == 0 {
				return mended("the version is not a number from 1", "see: privet keys list "+args[0])
			}
			if !cancel && (strings.TrimSpace(actor) == "" || strings.TrimSpace(reason) == "") {
				return mended("who destroys it, and why?", `give --actor ops --reason "the customer left": both stay in the tombstone`)
			}
			d := pseudonym.Destruction{At: now, Actor: actor, Reason: reason}
			var until time.Time
			if until, err = when("--pending", pending, now); err == nil {
				d.Copies, err = when("--copies", copies, now)
			}
			if err != nil {
				return err
			}
			store, err := f.open(c.Context(), args[0], options...)
			if err != nil {
				return err
			}
			tenant, v := args[1], uint32(version)
			said := ""
			switch {
			case cancel:
				err, said = store.CancelDestroy(c.Context(), tenant, v), "in use"
			case pending != "":
				err, said = store.DestroyPending(c.Context(), tenant, v, until, d), "out of use, and destroyed by privet keys destroy --due from "+moment(until)+" on"
			default:
				err, said = store.Destroy(c.Context(), tenant, v, d), "destroyed"
				if !d.Copies.IsZero() {
					said += "; copies elsewhere until " + moment(d.Copies)
				}
			}
			switch {
			case errors.Is(err, pseudonym.ErrUnknown):
				return mended("keys: the store has no such secret", "see: privet keys list "+args[0])
			case errors.Is(err, pseudonym.ErrDestroyed):
				return mended("keys: the secret is destroyed already", "see: privet keys list "+args[0])
			case err != nil:
				return secretsProblem(err)
			}
			fmt.Fprintf(e.stderr, "%s version %d: %s\n", printable(tenant), v, said)
			return nil
		},
	}
	f.register(c)
	c.Flags().StringVar(&actor, "actor", "", "`who` destroys it; no name of a person concerned")
	c.Flags().StringVar(&reason, "reason", "", "`why`; no name of a person concerned")
	c.Flags().StringVar(&pending, "pending", "", "destroy it from this `time` on, and put it out of use now")
	c.Flags().StringVar(&copies, "copies", "", "`time` until which copies of the store exist elsewhere")
	c.Flags().StringVar(&holdFile, "hold-file", "", "`file` of holds, which forbid to destroy")
	c.Flags().BoolVar(&cancel, "cancel", false, "call a planned destruction off")
	c.Flags().BoolVar(&due, "due", false, "destroy everything that was planned for now or earlier")
	return c
}

// when reads a moment: a date, a time stamp, or a number of days from now.
func when(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	var at time.Time
	if number, ok := strings.CutSuffix(text, "d"); ok {
		days, err := strconv.ParseUint(number, 10, 16)
		if err == nil {
			at = now.UTC().Add(time.Duration(days) * 24 * time.Hour)
		}
	} else if t, err := time.Parse(time.DateOnly, text); err == nil {
		at = t
	} else if t, err := time.Parse(time.RFC3339, text); err == nil {
		at = t.UTC()
	}
	switch {
	case at.IsZero():
		return at, mended(flag+" is not a time", "write 30d, 2026-04-27 or 2026-04-27T12:00:00Z")
	case at.Before(now):
		return at, mended(flag+" is in the past", "name a time to come, or leave it out")
	}
	return at, nil
}

// destroyDue is exitBad if a hold covers something that is due.
func destroyDue(ctx context.Context, e *env, store *secretfile.Store, now time.Time) error {
	done, err := store.DestroyDue(ctx, now)
	for _, st := range done {
		fmt.Fprintf(e.stderr, "%s version %d: destroyed\n", printable(st.Tenant), st.Version)
	}
	if !errors.Is(err, pseudonym.ErrHeld) {
		if err == nil && len(done) == 0 {
			fmt.Fprintln(e.stderr, "nothing is due")
		}
		return secretsProblem(err)
	}
	faults := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		faults = joined.Unwrap()
	}
	for _, err := range faults {
		fmt.Fprintln(e.stderr, "privet: "+secretsProblem(err).Error())
	}
	return &status{code: exitBad}
}

// loadHolds reads what must not be destroyed: one a line, "tenant version reference",
// with * for all versions. Lines that begin with # are comments.
func loadHolds(path string) (pseudonym.Holds, error) {
	if err := regularFile("hold file", path, "name the file in it"); err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the hold file %s: %s", path, fileProblem(err))
	}
	defer file.Close()
	return readHolds(file, path)
}

func readHolds(from io.Reader, path string) (pseudonym.Holds, error) {
	type held struct {
		tenant  string
		version uint32 // 0 for all
		by      string
	}
	var all []held
	number := 0
	fail := func(problem, mend string) error {
		return mended(fmt.Sprintf("hold file: %s: line %d: %s", path, number, problem), mend)
	}
	lines := bufio.NewScanner(from)
	for lines.Scan() {
		number++
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		parts := strings.Fields(line)
		if len(parts) < 3 {
			return nil, fail("not three words", "write: tenant version reference, with * for all versions")
		}
		// The last two words are version and reference; a tenant may have spaces in it.
		by, number := parts[len(parts)-1], parts[len(parts)-2]
		line = strings.TrimSpace(strings.TrimSuffix(line, by))
		h := held{tenant: strings.TrimSpace(strings.TrimSuffix(line, number)), by: by}
		if number != "*" {
			version, err := strconv.ParseUint(number, 10, 32)
			if err != nil || version == 0 {
				return nil, fail("the version is neither * nor a number from 1", "write: tenant * reference")
			}
			h.version = uint32(version)
		}
		all = append(all, h)
	}
	if lines.Err() != nil {
		number++
		return nil, fail("cannot be read", "is it a file of holds?")
	}
	return func(_ context.Context, t pseudonym.Target) (string, bool, error) {
		for _, h := range all {
			if h.tenant == t.Tenant && (h.version == 0 || h.version == t.Version) {
				return h.by, true, nil
			}
		}
		return "", false, nil
	}, nil
}
