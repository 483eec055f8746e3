package host

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/privetdev/privet/classify"
	"github.com/privetdev/privet/internal/wasmabi"
)

// WithInterrupt lets a context that is done end a call of a [Classifier] in the middle;
// the instance is lost with it. Every call of a module that package emit made ends
// anyway, after a time that goes with the length of its input, so this is for modules
// that somebody else made. It makes them slower. [Open] does not take it.
func WithInterrupt() Option { return optionFunc(func(c *config) { c.interrupted = true }) }

// ErrNotClassifier reports bytes that are not a classifier module.
var ErrNotClassifier = errors.New("host: not a classifier module: make one with privet compile --target wasm; privet.wasm is opened with Open")

// The codes that a call of a [Classifier] can fail with, by status.
var classifierErrors = map[int32]Error{
	-1: {Code: "INTERNAL", Message: "a fault inside the module; its instance was discarded", Mend: "ask again; if it stays, compile the policy again and report it"},
	-4: {Code: "BAD_POINTER", Message: "the module did not take the place of the input", Mend: "compile the policy again"},
	-5: {Code: "TOO_LARGE", Message: "the input is longer than this module takes", Mend: "send less at once, or compile the policy with a larger limit"},
	-8: {Code: "BAD_REQUEST", Message: "the module could not read the field", Mend: "compile the policy again"},
}

// A Description is what a classifier module knows.
type Description struct {
	Name    string // of the policy
	Version uint64
	// Fingerprint is that of the bundle that the module was made of: SHA-256 in lower-case
	// hex.
	Fingerprint string
	Profile     int
	MaxInput    int // longest input in bytes: a text, or all parts of a field together
	// Threshold is the confidence below which nothing is reported, from 0 to 1.
	Threshold  float64
	Categories []CategoryInfo // sorted by key
	Rules      []PartInfo     // sorted by id
	Detectors  []PartInfo     // sorted by id
}

// A CategoryInfo is a category with what labels say about it.
type CategoryInfo struct{ Key, Title, ISO19944, Qualifier string }

// A PartInfo is a rule or a detector with the category that it reports.
type PartInfo struct{ ID, Category string }

// A Classifier runs a classifier module, which is one policy compiled to WebAssembly
// by privet compile --target wasm. It answers as package classify does, in a sandbox:
// the module imports nothing, so it reaches nothing but its own memory, and what it
// answers is checked before it is believed. It is safe for concurrent use.
type Classifier struct {
	runtime     wazero.Runtime
	cache       wazero.CompilationCache
	compiled    wazero.CompiledModule
	about       Description
	slots       chan *classifierInstance
	interrupted bool
	mu          sync.Mutex
	closed      bool
}

// OpenClassifier compiles a classifier module, which takes milliseconds. The error
// wraps [ErrNotClassifier], [ErrABI] or [ErrOption]. Without [WithInstances] as many
// calls run at once as the program has processors. Close the classifier when it is no
// longer needed.
func OpenClassifier(ctx context.Context, module []byte, opts ...Option) (*Classifier, error) {
	c := config{memory: someMemory, instances: min(runtime.GOMAXPROCS(0), 1024)}
	for _, o := range opts {
		o.apply(&c)
	}
	if c.memory < minMemory || c.memory > maxMemory || c.instances < 1 || c.instances > 1024 {
		return nil, ErrOption
	}
	var section struct {
		ABI         struct{ Major int }
		Kind        string
		Fingerprint string
	}
	payload, err := wasmabi.Read(module, wasmabi.Section)
	switch {
	case err != nil || payload == nil || json.Unmarshal(payload, &section) != nil || section.Kind != "classifier":
		return nil, ErrNotClassifier
	case section.ABI.Major != major:
		return nil, ErrABI
	}
	settings := wazero.NewRuntimeConfig()
	if c.interpreted {
		settings = wazero.NewRuntimeConfigInterpreter()
	}
	settings = settings.WithMemoryLimitPages(uint32((c.memory + page - 1) / page)).WithDebugInfoEnabled(false).WithCloseOnContextDone(c.interrupted)
	k := &Classifier{interrupted: c.interrupted, slots: make(chan *classifierInstance, c.instances)}
	if c.cache != "" {
		if k.cache, err = wazero.NewCompilationCacheWithDir(c.cache); err != nil {
			return nil, errors.Join(ErrOption, err)
		}
		settings = settings.WithCompilationCache(k.cache)
	}
	k.runtime = wazero.NewRuntimeWithConfig(ctx, settings)
	if k.compiled, err = k.runtime.CompileModule(ctx, module); err != nil {
		// What the runtime says of bytes that are no module may quote them.
		return nil, errors.Join(ErrNotClassifier, k.end(ctx))
	}
	first, err := k.start(ctx)
	if err == nil {
		err = k.describe(ctx, first)
	}
	if err != nil {
		return nil, errors.Join(err, k.end(ctx))
	}
	k.about.Fingerprint = section.Fingerprint
	k.slots <- first
	for range c.instances - 1 {
		k.slots <- nil // started when it is needed
	}
	return k, nil
}

func (k *Classifier) end(ctx context.Context) error {
	err := k.runtime.Close(ctx)
	if k.cache != nil {
		err = errors.Join(err, k.cache.Close(ctx))
	}
	return err
}

// Close ends the classifier. It waits for calls that are running.
func (k *Classifier) Close(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return nil
	}
	k.closed = true
	for range cap(k.slots) {
		<-k.slots
	}
	close(k.slots)
	return k.end(ctx)
}

// Describe says what the module knows. The slices belong to the classifier.
func (k *Classifier) Describe() Description { return k.about }

// Field says what personal data a field holds, as [classify.Classifier.Field] does,
// most certain first. Nothing found is no label and no error. The error is an [*Error],
// with code TOO_LARGE if the parts of the field are longer together than the module
// takes, [ErrLost], [ErrClosed], or the context's if no instance became free in time.
func (k *Classifier) Field(ctx context.Context, f classify.Field) ([]classify.Label, error) {
	in, err := k.take(ctx)
	if err != nil {
		return nil, err
	}
	labels, err := k.field(ctx, in, &f)
	k.give(ctx, in, err)
	return labels, err
}

// Scan finds personal data in a text that is no field, as [classify.Scanner.Scan] does:
// what was found, in the order of places. Errors are those of [Classifier.Field].
func (k *Classifier) Scan(ctx context.Context, text string) ([]classify.Finding, error) {
	in, err := k.take(ctx)
	if err != nil {
		return nil, err
	}
	findings, err := k.scan(ctx, in, text)
	k.give(ctx, in, err)
	return findings, err
}

// take waits for an instance.
func (k *Classifier) take(ctx context.Context) (*classifierInstance, error) {
	var in *classifierInstance
	var open bool
	select {
	case in, open = <-k.slots:
	default:
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case in, open = <-k.slots:
		}
	}
	if !open {
		return nil, ErrClosed
	}
	if in == nil {
		var err error
		if in, err = k.start(ctx); err != nil {
			k.slots <- nil
			return nil, err
		}
	}
	return in, nil
}

// give takes an instance back, unless its memory is not to be trusted any more.
func (k *Classifier) give(ctx context.Context, in *classifierInstance, err error) {
	if err != nil {
		var e *Error
		if !errors.As(err, &e) || e.Status == statusInternal {
			_ = in.module.Close(context.WithoutCancel(ctx))
			in = nil
		}
	}
	k.slots <- in
}

// A classifierInstance is one memory. It serves one call at a time.
type classifierInstance struct {
	module                              api.Module
	memory                              api.Memory
	scratch, describeAll, record, scan_ api.Function
	stack                               [3]uint64
	keys                                []string // of the map at hand
	at, size                            uint32   // of the input buffer
	result                              uint32   // address of the descriptor
}

func (k *Classifier) start(ctx context.Context) (*classifierInstance, error) {
	mod, err := k.runtime.InstantiateModule(ctx, k.compiled, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, ErrNotClassifier
	}
	in := &classifierInstance{module: mod, memory: mod.Memory()}
	var version, result api.Function
	whole := in.memory != nil
	for _, x := range []struct {
		name   string
		params int
		f      *api.Function
	}{
		{"pv1_abi", 0, &version}, {"pv1_result", 0, &result}, {"pv1_scratch", 1, &in.scratch},
		{"pv1_describe", 0, &in.describeAll}, {"pv1_classify_record", 3, &in.record}, {"pv1_scan", 3, &in.scan_},
	} {
		*x.f = mod.ExportedFunction(x.name)
		whole = whole && *x.f != nil && len((*x.f).Definition().ParamTypes()) == x.params && len((*x.f).Definition().ResultTypes()) == 1
	}
	if !whole {
		return nil, errors.Join(ErrNotClassifier, mod.Close(ctx))
	}
	n, err := k.invoke(ctx, in, version)
	if err == nil && n>>16 != major {
		err = ErrABI
	}
	if err == nil {
		n, err = k.invoke(ctx, in, result)
		in.result = uint32(n)
	}
	if err != nil {
		return nil, errors.Join(err, mod.Close(context.WithoutCancel(ctx)))
	}
	return in, nil
}

// invoke calls an export whose parameters stand on the stack.
func (k *Classifier) invoke(ctx context.Context, in *classifierInstance, f api.Function) (int32, error) {
	inner := context.Background() // a value of the caller's context has no business inside
	if k.interrupted {
		inner = ctx
	}
	if err := f.CallWithStack(inner, in.stack[:]); err != nil {
		if k.interrupted && ctx.Err() != nil {
			return 0, errors.Join(ErrLost, ctx.Err())
		}
		return 0, ErrLost
	}
	return int32(uint32(in.stack[0])), nil
}

// input is the buffer of an instance with room for so many bytes.
func (k *Classifier) input(ctx context.Context, in *classifierInstance, need int) ([]byte, error) {
	if need > k.about.MaxInput {
		e := classifierErrors[-5]
		e.Status = -5
		e.Message += ": " + strconv.Itoa(k.about.MaxInput) + " bytes"
		return nil, &e
	}
	if uint32(need) > in.size || in.size == 0 {
		room := 4096
		for room < need {
			room *= 2
		}
		room = min(room, max(k.about.MaxInput, need))
		in.stack[0] = uint64(uint32(room))
		at, err := k.invoke(ctx, in, in.scratch)
		if err != nil {
			return nil, err
		}
		if at == 0 {
			return nil, ErrLost // it said that it takes as much
		}
		in.at, in.size = uint32(at), uint32(room)
	}
	buffer, ok := in.memory.Read(in.at, uint32(need))
	if !ok {
		return nil, ErrLost
	}
	return buffer, nil
}

// answer is the last result, in the memory of the instance.
func (in *classifierInstance) answer() ([]byte, error) {
	descriptor, ok := in.memory.Read(in.result, 16)
	if !ok {
		return nil, ErrLost
	}
	view, ok := in.memory.Read(binary.LittleEndian.Uint32(descriptor), binary.LittleEndian.Uint32(descriptor[4:]))
	if !ok {
		return nil, ErrLost
	}
	return view, nil
}

// refusal is a negative status as an error.
func refusal(status int32) error {
	e, known := classifierErrors[status]
	if !known {
		return ErrLost
	}
	e.Status = status
	return &e
}

// describe reads what the module says of itself.
func (k *Classifier) describe(ctx context.Context, in *classifierInstance) error {
	status, err := k.invoke(ctx, in, in.describeAll)
	if err != nil {
		return err
	}
	text, err := in.answer()
	var d struct {
		Categories       []struct{ Key, Title, ISO19944, Qualifier string }
		Rules, Detectors []struct {
			ID       string
			Category int
		}
		MaxInput  int `json:"max_input"`
		Name      string
		Version   uint64
		Profile   int
		Threshold int
	}
	if status != 0 || err != nil || json.Unmarshal(text, &d) != nil || d.MaxInput < 0 || d.MaxInput > maxMemory/2 {
		return ErrNotClassifier
	}
	k.about = Description{Name: d.Name, Version: d.Version, Profile: d.Profile, MaxInput: d.MaxInput, Threshold: float64(d.Threshold) / 1000}
	for _, c := range d.Categories {
		k.about.Categories = append(k.about.Categories, CategoryInfo(c))
	}
	for _, r := range d.Rules {
		if r.Category < 0 || r.Category >= len(d.Categories) {
			return ErrNotClassifier
		}
		k.about.Rules = append(k.about.Rules, PartInfo{r.ID, d.Categories[r.Category].Key})
	}
	for _, r := range d.Detectors {
		if r.Category < 0 || r.Category >= len(d.Categories) {
			return ErrNotClassifier
		}
		k.about.Detectors = append(k.about.Detectors, PartInfo{r.ID, d.Categories[r.Category].Key})
	}
	return nil
}

func (k *Classifier) field(ctx context.Context, in *classifierInstance, f *classify.Field) ([]classify.Label, error) {
	texts := [...]string{f.Name, f.Path, f.Type, f.Source, f.Description, f.Value}
	size := 4*len(texts) + 8 + 8*(len(f.Tags)+len(f.Context))
	for _, s := range texts {
		size += len(s)
	}
	for _, m := range [...]map[string]string{f.Tags, f.Context} {
		for key, value := range m {
			size += len(key) + len(value)
		}
	}
	buffer, err := k.input(ctx, in, size)
	if err != nil {
		return nil, err
	}
	b := buffer[:0]
	for _, s := range texts {
		b = appendText(b, s)
	}
	for _, m := range [...]map[string]string{f.Tags, f.Context} {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(m)))
		in.keys = slices.AppendSeq(in.keys[:0], maps.Keys(m))
		slices.Sort(in.keys)
		for _, key := range in.keys {
			b = appendText(appendText(b, key), m[key])
		}
		clear(in.keys)
	}
	in.stack = [3]uint64{1, uint64(in.at), uint64(size)}
	n, err := k.invoke(ctx, in, in.record)
	switch {
	case err != nil:
		return nil, err
	case n < 0:
		return nil, refusal(n)
	case n == 0:
		return nil, nil
	}
	rows, err := in.answer()
	if err != nil {
		return nil, err
	}
	return k.labels(rows, int(n), len(f.Value))
}

func appendText(b []byte, s string) []byte {
	return append(binary.LittleEndian.AppendUint32(b, uint32(len(s))), s...)
}

// declared stands for the rule in a label that comes from a tag.
const declared = 65535

// labels reads n rows and the spans behind them. A module of somebody else may say what
// it likes, and a caller may cut a value at its spans, so everything is checked.
func (k *Classifier) labels(rows []byte, n, value int) ([]classify.Label, error) {
	const row = 24
	if n > len(rows)/row || n > len(k.about.Categories) {
		return nil, ErrLost
	}
	places := rows[n*row:]
	spans := make([]classify.Span, 0, len(places)/8)
	for ; len(places) >= 8; places = places[8:] {
		start, end := binary.LittleEndian.Uint32(places), binary.LittleEndian.Uint32(places[4:])
		if start > end || int64(end) > int64(value) {
			return nil, ErrLost
		}
		spans = append(spans, classify.Span{Start: int(start), End: int(end)})
	}
	out := make([]classify.Label, n)
	for i := range out {
		at := func(j int) uint32 { return binary.LittleEndian.Uint32(rows[i*row+4*j:]) }
		category, confidence, rule, detector, first, count := at(0), at(1), at(2), at(3), at(4), at(5)
		if int64(category) >= int64(len(k.about.Categories)) || confidence > 1000 || int64(detector) > int64(len(k.about.Detectors)) ||
			rule != declared && int64(rule) > int64(len(k.about.Rules)) || int64(first)+int64(count) > int64(len(spans)) {
			return nil, ErrLost
		}
		c := &k.about.Categories[category]
		l := &out[i]
		l.Category, l.ISO19944, l.Qualifier, l.Confidence = c.Key, c.ISO19944, c.Qualifier, float64(confidence)/1000
		switch rule {
		case 0:
		case declared:
			l.Rule = "declared"
		default:
			l.Rule = k.about.Rules[rule-1].ID
		}
		if detector > 0 {
			l.Detector = k.about.Detectors[detector-1].ID
			l.Spans = spans[first : first+count : first+count]
		}
	}
	return out, nil
}

func (k *Classifier) scan(ctx context.Context, in *classifierInstance, text string) ([]classify.Finding, error) {
	buffer, err := k.input(ctx, in, len(text))
	if err != nil {
		return nil, err
	}
	copy(buffer, text)
	in.stack = [3]uint64{1, uint64(in.at), uint64(len(text))}
	n, err := k.invoke(ctx, in, in.scan_)
	switch {
	case err != nil:
		return nil, err
	case n < 0:
		return nil, refusal(n)
	case n == 0:
		return nil, nil
	}
	rows, err := in.answer()
	if err != nil {
		return nil, err
	}
	const row = 16
	if int(n) > len(rows)/row {
		return nil, ErrLost
	}
	out := make([]classify.Finding, n)
	for i := range out {
		at := func(j int) uint32 { return binary.LittleEndian.Uint32(rows[i*row+4*j:]) }
		detector, start, end, confidence := at(0), at(1), at(2), at(3)
		if int64(detector) >= int64(len(k.about.Detectors)) || start > end || int64(end) > int64(len(text)) || confidence > 1000 {
			return nil, ErrLost
		}
		d := &k.about.Detectors[detector]
		out[i] = classify.Finding{Detector: d.ID, Category: d.Category, Start: int(start), End: int(end), Confidence: float64(confidence) / 1000}
	}
	return out, nil
}
