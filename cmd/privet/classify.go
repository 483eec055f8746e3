package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/classify/record"
	"github.com/privetdev/privet/internal/jsondoc"
)

func newClassify(e *env) *cobra.Command {
	var policyName, csvFile, jsonFile string
	var field fieldFlags
	var pins pins
	var include, exclude []string
	var strict bool
	var jobs, maxLine int
	c := &cobra.Command{
		Use:   "classify [in] [out]",
		Short: "Say what kind of data fields hold",
		Long: `Classify labels fields by name, declared tags and value. It reads one JSON object
a line with any of id, name, path, type, tags, value, source, description and
context, and writes one a line in the same order:

  {"id":…,"labels":[{"category","confidence","rule","detector","spans","iso19944","qualifier"}]}

Spans are byte offsets in the value. A field without labels is not personal as far
as the rules can tell.

Instead of lines it takes one field from flags, the columns of a CSV file (by name,
and by a vote over the values), or a JSON document (by path). Where the name of a
column or path says one thing and its values another, the line has both as labels,
and "conflicts":[{"by","found","said"}].

Exit status: 0 all processed, 1 some lines were bad, 2 could not start.`,
		Example: `  privet classify --name user_email --value jane@example.com
  echo '{"id":"1","name":"note","value":"mail jane@example.com"}' | privet classify
  privet classify --csv customers.csv
  privet classify --json document.json`,
		Args: inAndOut,
		RunE: func(c *cobra.Command, args []string) error {
			if jobs < 1 || jobs > 1024 {
				return mended("--jobs must be from 1 to 1024", "leave it out for one a processor")
			}
			if maxLine < 1 || maxLine > 1<<30 {
				return mended("--max-line must be from 1 byte to 1,024 MiB", "leave it out for 4 MiB")
			}
			classifier, err := openClassifier(&pins, policyName)
			if err != nil {
				return err
			}
			given := field.given(c)
			modes := 0
			for _, on := range []bool{given, csvFile != "", jsonFile != ""} {
				if on {
					modes++
				}
			}
			if modes > 1 || modes == 1 && len(args) > 0 {
				return mended("more than one thing to classify", "give lines, a field in flags, --csv or --json")
			}
			if len(include)+len(exclude) > 0 && csvFile == "" && jsonFile == "" {
				return mended("--include and --exclude without a record", "they choose columns of --csv and paths of --json")
			}
			switch {
			case given:
				f, err := field.read(e)
				if err != nil {
					return err
				}
				return classifyOne(e, classifier, f)
			case csvFile != "" || jsonFile != "":
				reader, err := record.New(classifier, record.Include(include...), record.Exclude(exclude...))
				if err != nil {
					return err
				}
				if csvFile != "" {
					return classifyTable(e, reader, csvFile)
				}
				return classifyDocument(e, reader, jsonFile)
			}
			return classifyLines(c, e, classifier, argument(args, 0), argument(args, 1), strict, jobs, maxLine)
		},
	}
	flags := c.Flags()
	flags.StringVarP(&policyName, "policy", "p", "", "policy whose rules count: a YAML `file`, a bundle or pack:NAME (default: the built-in rules)")
	field.register(c, "classify")
	pins.register(c)
	flags.StringVar(&csvFile, "csv", "", "classify the columns of a CSV `file`")
	flags.StringVar(&jsonFile, "json", "", "classify the fields of a JSON `file`")
	flags.StringArrayVar(&include, "include", nil, "only columns or paths at or below this `pattern`, such as **.customer; may be repeated")
	flags.StringArrayVar(&exclude, "exclude", nil, "no columns or paths at or below this `pattern`; may be repeated")
	flags.BoolVar(&strict, "strict", false, "stop at the first bad line; the output file is then not written")
	flags.IntVarP(&jobs, "jobs", "j", runtime.GOMAXPROCS(0), "how many lines are classified at once")
	flags.IntVar(&maxLine, "max-line", 4<<20, "longest line in `bytes`; a longer one is skipped and reported")
	_ = c.RegisterFlagCompletionFunc("policy", completePolicy)
	return c
}

// openClassifier opens the classification of a policy, or the built-in one if there
// is none and no pin asks for one.
func openClassifier(p *pins, where string) (*classify.Classifier, error) {
	if where == "" {
		if p.given() {
			return nil, mended("--public-key or --minimum without a policy", "name it with --policy")
		}
		return classify.Builtin(), nil
	}
	bundle, err := p.load(where)
	if err != nil {
		return nil, err
	}
	return classify.Open(bundle.Bytes())
}

func classifyLines(c *cobra.Command, e *env, classifier *classify.Classifier, from, to string, strict bool, jobs, maxLine int) error {
	in, err := openInput(from, e)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := openOutput(to, e.stdout, in)
	if err != nil {
		return err
	}
	defer out.abandon()
	workers := make([]worker, jobs)
	for i := range workers {
		workers[i] = &labelling{classifier: classifier}
	}
	run := stream{out: out, maxLine: maxLine, workers: workers, strict: strict}
	good, bad, _, err := run.toFile(c.Context(), e, in, out, to)
	if err != nil {
		return err
	}
	switch {
	case bad > 0:
		return &status{exitBad, plural(good, "field") + " classified, " + plural(bad, "line") + " bad"}
	case good == 0:
		fmt.Fprintln(e.stderr, "privet: the input is empty: no field, nothing to classify")
	}
	return nil
}

// A labelling worker classifies one field a line.
type labelling struct {
	classifier *classify.Classifier
	doc        jsondoc.Doc
}

var fieldKeys = []string{"id", "name", "path", "type", "tags", "value", "source", "description", "context"}

func (l *labelling) line(dst, line []byte) ([]byte, error) {
	if err := l.doc.Parse(string(line), jsondoc.Limits{}); err != nil {
		var fault *jsondoc.Error
		if errors.As(err, &fault) {
			return dst, &lineError{fault.Code.String(), fault.Offset, ""}
		}
		return dst, errInternal
	}
	d := &l.doc
	if d.Nodes[0].Kind != jsondoc.Object {
		return dst, &lineError{"a field is a JSON object", 0, `write {"name":…,"value":…}`}
	}
	var f classify.Field
	id := int32(-1)
	for _, c := range d.Children(0) {
		n := &d.Nodes[c]
		text, err := "", error(nil)
		switch n.Kind {
		case jsondoc.String, jsondoc.Number, jsondoc.Bool:
			text = n.Text
		}
		scalar := n.Kind != jsondoc.Object && n.Kind != jsondoc.Array
		switch n.Key {
		case "id":
			id = c
		case "name":
			f.Name = text
		case "path":
			f.Path = text
		case "type":
			f.Type = text
		case "value":
			f.Value = text
		case "source":
			f.Source = text
		case "description":
			f.Description = text
		case "tags":
			f.Tags, err = l.texts(c, n.Key)
			scalar = true
		case "context":
			f.Context, err = l.texts(c, n.Key)
			scalar = true
		default:
			return dst, &lineError{"a field has a key that is not known here", int(n.At), "the keys are: " + strings.Join(fieldKeys, " ")}
		}
		if err != nil {
			return dst, err
		}
		if !scalar {
			return dst, &lineError{n.Key + " must be a text, a number or a boolean", int(n.At), "to classify documents say --json"}
		}
	}
	w := jsondoc.Writer{Buf: dst}
	w.Open('{')
	w.Key("id")
	switch {
	case id < 0 || d.Nodes[id].Kind == jsondoc.Null:
		w.Raw("null")
	case d.Nodes[id].Kind == jsondoc.String:
		w.String(d.Nodes[id].Text)
	default:
		w.Raw(d.Nodes[id].Text)
	}
	w.Key("labels")
	writeLabels(&w, l.classifier.Field(f))
	w.Close('}')
	return w.Buf, nil
}

func (l *labelling) texts(i int32, key string) (map[string]string, error) {
	n := &l.doc.Nodes[i]
	if n.Kind == jsondoc.Null {
		return nil, nil
	}
	if n.Kind != jsondoc.Object {
		return nil, &lineError{key + " must be an object of texts", int(n.At), "write {\"key\":\"value\"}"}
	}
	out := map[string]string{}
	for _, c := range l.doc.Children(i) {
		if l.doc.Nodes[c].Kind != jsondoc.String {
			return nil, &lineError{key + " must be an object of texts", int(l.doc.Nodes[c].At), "write {\"key\":\"value\"}"}
		}
		out[l.doc.Nodes[c].Key] = l.doc.Nodes[c].Text
	}
	return out, nil
}

// A lineError is a fault of a line, in fixed words.
type lineError struct {
	problem string
	offset  int // byte from 0
	mend    string
}

func (e *lineError) Error() string { return e.problem }

func writeLabels(w *jsondoc.Writer, labels []classify.Label) {
	w.Open('[')
	for i := range labels {
		l := &labels[i]
		w.Open('{')
		text := func(key, value string) {
			if value != "" {
				w.Key(key)
				w.String(value)
			}
		}
		text("category", l.Category)
		w.Key("confidence")
		w.Raw(number(l.Confidence))
		text("detector", l.Detector)
		text("iso19944", l.ISO19944)
		text("qualifier", l.Qualifier)
		text("rule", l.Rule)
		if len(l.Spans) > 0 {
			w.Key("spans")
			w.Open('[')
			for _, s := range l.Spans {
				w.Open('{')
				w.Key("end")
				w.Raw(number(float64(s.End)))
				w.Key("start")
				w.Raw(number(float64(s.Start)))
				w.Close('}')
			}
			w.Close(']')
		}
		w.Close('}')
	}
	w.Close(']')
}

// number writes a number as JSON does.
func number(f float64) string {
	b, err := json.Marshal(f)
	if err != nil {
		return "0"
	}
	return string(b)
}

// classifyOne answers about one field on one line.
func classifyOne(e *env, classifier *classify.Classifier, f classify.Field) error {
	w := jsondoc.Writer{}
	w.Open('{')
	w.Key("labels")
	writeLabels(&w, classifier.Field(f))
	w.Close('}')
	_, err := e.stdout.Write(append(w.Buf, '\n'))
	return err
}

// classifyTable answers about each column of a CSV file.
func classifyTable(e *env, reader *record.Reader, path string) error {
	if err := regularFile("table", path, "name a CSV file in it"); err != nil {
		return err
	}
	head, err := readHead(path, sniffed)
	if err != nil {
		return fmt.Errorf("cannot read the table %s: %s", path, fileProblem(err))
	}
	if bytes.IndexByte(head, 0) >= 0 {
		return mended(path+": a binary file", "is it the right file?")
	}
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("cannot read the table %s: %s", path, fileProblem(err))
	}
	defer file.Close()
	table, err := reader.CSV(file)
	var fault *record.CSVError
	switch {
	case errors.As(err, &fault) && fault.Line == 1:
		return mended(path+": the first row cannot be read", "is it CSV with names in its first row?")
	case errors.As(err, &fault):
		return &status{exitBad, fmt.Sprintf("%s: line %s cannot be read as CSV", path, group(fault.Line))}
	case err != nil:
		return fmt.Errorf("cannot read the table %s: %s", path, fileProblem(err))
	case len(head) == 0:
		fmt.Fprintln(e.stderr, "privet: the table is empty: no column, nothing to classify")
	}
	var out bytes.Buffer
	for i := range table.Columns {
		c := &table.Columns[i]
		labels := make([]classify.Label, len(c.Labels))
		for j := range labels {
			labels[j] = c.Labels[j].Label
		}
		writePlace(&out, c.Name, labels, table.Conflicts)
	}
	_, err = e.stdout.Write(out.Bytes())
	return err
}

// classifyDocument answers about each value of a JSON document, by its path.
func classifyDocument(e *env, reader *record.Reader, path string) error {
	if err := regularFile("document", path, "name a JSON file in it"); err != nil {
		return err
	}
	data, err := readHead(path, record.MaxDocument+1)
	if err != nil {
		return fmt.Errorf("cannot read the document %s: %s", path, fileProblem(err))
	}
	report, err := reader.JSON(bytes.TrimPrefix(data, byteOrderMark))
	var fault *record.JSONError
	switch {
	case errors.As(err, &fault):
		return &status{exitBad, fmt.Sprintf("%s: %s (byte %s)", path, fault.Reason, group(fault.Offset+1))}
	case errors.Is(err, record.ErrLarge):
		return mended(path+" is larger than "+size(record.MaxDocument)+" or has more than "+group(record.MaxFields)+" values", "give it line by line: privet classify")
	case err != nil:
		return &status{exitBad, path + ": nested too deeply"}
	}
	var out bytes.Buffer
	for i := range report.Fields {
		writePlace(&out, report.Fields[i].Path, report.Fields[i].Labels, report.Conflicts)
	}
	_, err = e.stdout.Write(out.Bytes())
	return err
}

// writePlace writes a line about one place of a record, with what contradicts there.
func writePlace(out *bytes.Buffer, place string, labels []classify.Label, conflicts []record.Conflict) {
	w := jsondoc.Writer{}
	w.Open('{')
	for first, i := true, 0; i <= len(conflicts); i++ {
		if i == len(conflicts) {
			if !first {
				w.Close(']')
			}
			break
		}
		c := &conflicts[i]
		if c.Path != place {
			continue
		}
		if first {
			first = false
			w.Name("conflicts")
			w.Open('[')
		}
		w.Open('{')
		w.Name("by")
		w.String(c.By)
		w.Name("found")
		w.String(c.Found)
		w.Name("said")
		w.String(c.Said)
		w.Close('}')
	}
	w.Name("id")
	w.String(place)
	w.Name("labels")
	writeLabels(&w, labels)
	w.Close('}')
	out.Write(append(w.Buf, '\n'))
}
