package consentcmd

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/privetdev/privet/consent/ledger"
	"github.com/privetdev/privet/internal/keyfile"
)

// maxDocument bounds files of heads and proofs, in bytes.
const maxDocument = 16 << 20

// readDocument reads a small file whole; "-" is standard input.
func readDocument(e *Env, what, path string) ([]byte, error) {
	in := e.Stdin
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, errors.New("cannot read the " + what + " " + path + ": " + fileProblem(err))
		}
		defer file.Close()
		in = file
	}
	b, err := io.ReadAll(io.LimitReader(in, maxDocument+1))
	switch {
	case err != nil:
		return nil, errors.New("cannot read the " + what + " " + path + ": " + fileProblem(err))
	case len(b) > maxDocument:
		return nil, mended(what+": "+path+" is larger than 16 MiB", "is it the right file?")
	}
	return b, nil
}

// decoded reads one document of package ledger, or says which file holds none.
func decoded(e *Env, what, path string, v json.Unmarshaler) error {
	b, err := readDocument(e, what, path)
	if err != nil {
		return err
	}
	if v.UnmarshalJSON(bytes.TrimSpace(b)) != nil {
		return notA(what, path)
	}
	return nil
}

func notA(what, path string) error {
	return mended(what+": "+path+" holds none", "name a file that privet wrote, unchanged")
}

// trustFlags name signed heads and the key that they were signed with.
type trustFlags struct {
	heads  []string
	public string
}

func (f *trustFlags) register(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.heads, "head", nil, "`file` of signed heads, one a line, as consent head --sign wrote them; give it again for more")
	c.Flags().StringVar(&f.public, "public-key", "", "`file` with the public key that they were signed with")
}

// get reads the heads and the key. Whether they fit is checked by who uses them.
func (f *trustFlags) get(e *Env) (heads []ledger.SignedHead, key ed25519.PublicKey, err error) {
	switch {
	case len(f.heads) == 0 && f.public == "":
		return nil, nil, nil
	case len(f.heads) == 0:
		return nil, nil, mended("--public-key is of no use without --head", "name the file of a signed head, too")
	case f.public == "":
		return nil, nil, mended("who signed the head?", "give --public-key: a head that nobody vouches for shows nothing")
	}
	keys, err := keyfile.Public(f.public)
	if err != nil {
		return nil, nil, err
	}
	if len(keys) > 1 {
		return nil, nil, mended("public key: "+f.public+" holds more than one key", "name one")
	}
	for _, path := range f.heads {
		b, err := readDocument(e, "signed head", path)
		if err != nil {
			return nil, nil, err
		}
		n := len(heads)
		for text := range bytes.Lines(b) {
			if text = bytes.TrimSpace(text); len(text) == 0 {
				continue
			}
			var head ledger.SignedHead
			if head.UnmarshalJSON(text) != nil {
				return nil, nil, notA("signed head", path)
			}
			heads = append(heads, head)
		}
		if len(heads) == n {
			return nil, nil, notA("signed head", path)
		}
	}
	return heads, keys[0], nil
}

func newHead(e *Env) *cobra.Command {
	var place Place
	var sign string
	c := &cobra.Command{
		Use:   "head",
		Short: "Print the head of the log, or sign it",
		Long: `Head prints where the log ends: how many entries it has, the hash of the last one and
the root of the tree over all of them. Two logs with one head are the same log.

With --sign, it signs the head and prints it as one line of JSON. Keep that line where
who can write the ledger cannot: consent verify --head finds out later if the log was
cut, rewritten or put back from an older copy since.`,
		Example: e.named(`  privet consent head --ledger consent
  privet keygen --out witness.key
  privet consent head --ledger consent --sign witness.key >> /mnt/elsewhere/heads.jsonl
  privet consent verify --ledger consent --head /mnt/elsewhere/heads.jsonl --public-key witness.key.pub`),
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			ctx := c.Context()
			var key ed25519.PrivateKey
			if sign != "" {
				var err error
				if key, err = keyfile.Signer(sign); err != nil {
					return err
				}
			}
			l, err := e.open(ctx, place, Reading)
			if err != nil {
				return err
			}
			defer l.Close()
			if key != nil {
				head, err := l.SignHead(ctx, key, e.Now().UTC())
				if err != nil {
					return err
				}
				b, err := head.MarshalJSON()
				if err != nil {
					return err
				}
				return e.print(append(b, '\n'))
			}
			head, err := l.Head(ctx)
			if err != nil {
				return err
			}
			return e.print([]byte("log      " + l.ID().String() + "\n" + headText(&head)))
		},
	}
	place.register(c.Flags())
	c.Flags().StringVar(&sign, "sign", "", "sign with the private key in this `file`, made by privet keygen")
	return c
}

func headText(h *ledger.Head) string {
	return fmt.Sprintf("entries  %d\nlast     %s\nroot     %s\n", h.Seq, hex.EncodeToString(h.Last[:]), hex.EncodeToString(h.Root[:]))
}
