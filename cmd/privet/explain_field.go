package main

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/privetdev/privet/classify"
)

// A fieldFlags is one field that flags describe.
type fieldFlags struct {
	field classify.Field
	tags  map[string]string
}

func (f *fieldFlags) register(c *cobra.Command, verb string) {
	flags := c.Flags()
	flags.StringVar(&f.field.Name, "name", "", verb+" one field of this `name`")
	flags.StringVar(&f.field.Path, "path", "", "its `path`")
	flags.StringVar(&f.field.Type, "type", "", "its declared `type`")
	flags.StringVar(&f.field.Value, "value", "", "its `value`, as text; - reads it from standard input")
	flags.StringToStringVar(&f.tags, "tag", nil, "its declared tags, as `key=value`")
}

// given reports whether any of the flags is set.
func (f *fieldFlags) given(c *cobra.Command) bool {
	for _, name := range []string{"name", "path", "type", "value", "tag"} {
		if c.Flags().Changed(name) {
			return true
		}
	}
	return false
}

// maxValueInput bounds a value from standard input.
const maxValueInput = 64 << 20

// read is the field.
func (f *fieldFlags) read(e *env) (classify.Field, error) {
	field := f.field
	field.Tags = f.tags
	if field.Value != "-" {
		return field, nil
	}
	b, err := io.ReadAll(io.LimitReader(e.stdin, maxValueInput+1))
	if err != nil {
		return field, &readError{err}
	}
	if len(b) > maxValueInput {
		return field, mended("the value is longer than 64 MiB", "classify a part of it")
	}
	field.Value = strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
	return field, nil
}

func explainField(e *env, classifier *classify.Classifier, f *fieldFlags, asJSON bool) error {
	field, err := f.read(e)
	if err != nil {
		return err
	}
	x := classifier.Explain(field)
	if asJSON {
		_, err = e.stdout.Write(append(x.JSON(), '\n'))
		return err
	}
	_, err = io.WriteString(e.stdout, x.Text())
	return err
}
