package consentcmd

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// subjectFlags say whom a command is about.
type subjectFlags struct {
	subject string
	secrets func(context.Context) (Pseudonymise, error) // nil: subjects are taken as they are
	in      *bufio.Reader                               // standard input, once something was read
}

func (f *subjectFlags) register(c *cobra.Command, e *Env) {
	c.Flags().StringVarP(&f.subject, "subject", "s", "", "`whom` it is about, as your events name them (default: a line of standard input)")
	if e.Subjects != nil {
		f.secrets = e.Subjects(c)
	}
}

// maker gives what makes the ledger's name of a subject.
func (f *subjectFlags) maker(ctx context.Context) (Pseudonymise, error) {
	if f.secrets != nil {
		make, err := f.secrets(ctx)
		if make != nil || err != nil {
			return make, err
		}
	}
	return func(_ context.Context, subject string) (string, error) { return subject, nil }, nil
}

// maxSubject bounds the line that a subject is read from, in bytes.
const maxSubject = 4096

// get gives the ledger's name of the one subject of a command.
func (f *subjectFlags) get(ctx context.Context, e *Env) (string, error) {
	subject := f.subject
	if subject == "" {
		if e.Typed {
			io.WriteString(e.Stderr, "subject: ") //nolint:errcheck // a prompt
		}
		f.in = bufio.NewReaderSize(e.Stdin, maxSubject)
		line, err := f.in.ReadSlice('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", mended("the subject on standard input cannot be read, or is too long", "write it on one line")
		}
		if subject = strings.TrimSpace(string(line)); subject == "" {
			return "", mended("whom is it about?", "give --subject, or write the subject on standard input")
		}
	}
	make, err := f.maker(ctx)
	if err != nil {
		return "", err
	}
	return make(ctx, subject)
}
