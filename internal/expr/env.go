package expr

// An Env is what an expression may see: variables that are always present, and
// functions. It is immutable once an expression was compiled or decoded with it.
type Env struct {
	ID    uint8  // stable; a program remembers it
	Name  string // for messages
	Vars  []Var
	Funcs []Func
}

// A Var is a variable. Its slot in [Frame.Vars] is its index in [Env.Vars].
type Var struct {
	Name     string // may be dotted: "field.name" is one variable
	Type     Type
	MaxLen   int    // longest text, in bytes: of the variable, of each element, key and value; bounds the cost
	MaxElems int    // most elements of a list or entries of a map
	Doc      string // one line for people
}

// A Func is a function that the environment's host carries out.
type Func struct {
	ID     uint16 // stable; part of the wire form
	Name   string
	Member bool // called as x.name(…): x is Params[0]
	Params []Type
	Result Type
	Const  int    // 1 + the index of a parameter that must be a constant; 0: none
	Cost   uint64 // per byte of the first argument, at least 1
	Doc    string
}

// Func finds a function by its number.
func (e *Env) Func(id uint16) (*Func, bool) {
	for i := range e.Funcs {
		if e.Funcs[i].ID == id {
			return &e.Funcs[i], true
		}
	}
	return nil, false
}

// Slot finds a variable by its name.
func (e *Env) Slot(name string) (int, bool) {
	for i := range e.Vars {
		if e.Vars[i].Name == name {
			return i, true
		}
	}
	return 0, false
}
