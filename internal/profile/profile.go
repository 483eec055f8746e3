// Package profile fixes what the expressions of a policy may see: version 1 of
// the CEL profile. It declares the three environments, their variables and their
// functions, by stable numbers.
//
// Adding a variable at the end of an environment or a function under a new
// number keeps every stored program valid; anything else needs a new [Version].
package profile

import (
	"strings"

	"github.com/privetdev/privet/internal/expr"
)

// Version is the profile's version, as written in `privet: 1`. A host refuses
// policies and bundles of a later version.
const Version = 1

// The numbers of the environments.
const (
	EnvField uint8 = 1 + iota
	EnvMatch
	EnvPolicy
)

// The slots of [Field]. [Match] has the same variables first, under the same slots.
const (
	FieldName = iota
	FieldPath
	FieldWords
	FieldType
	FieldTags
	FieldSource
	FieldDescription
	FieldValue
	FieldContext

	FieldVars // how many there are
)

// The slots of [Match] after those of [Field].
const (
	MatchText = FieldVars + iota
	MatchDigits
	MatchGroups
	MatchBefore
	MatchAfter

	MatchVars // how many there are
)

// The slots of [Policy].
const (
	PolicyCategory = iota
	PolicyClass
	PolicyPurpose
	PolicyFeature
	PolicyOperation
	PolicyQualifier
	PolicyOrigin
	PolicyRecipientRole
	PolicyRecipientID
	PolicySubjectAccount
	PolicySubjectTenant
	PolicySubjectAgeBand
	PolicySubjectResidence
	PolicySubjectAttr
	PolicyRegion
	PolicyContext

	PolicyVars // how many there are
)

// The functions, by their numbers in the wire form. A number is never reused.
const (
	FnHasAll      uint16 = 1
	FnHasAny      uint16 = 2
	FnIs          uint16 = 3
	FnFinds       uint16 = 4
	FnLuhn        uint16 = 5
	FnIBAN        uint16 = 6
	FnMod97       uint16 = 7
	FnMod11       uint16 = 8
	FnMod1110     uint16 = 9
	FnVerhoeff    uint16 = 10
	FnDamm        uint16 = 11
	FnISIN        uint16 = 12
	FnICAO        uint16 = 13
	FnBase58Check uint16 = 14
	FnBech32      uint16 = 15
	FnIP          uint16 = 16
	FnCIDR        uint16 = 17
	FnDomain      uint16 = 18
	FnUUID        uint16 = 19
	FnULID        uint16 = 20
	FnEntropy     uint16 = 21
	FnDigits      uint16 = 22
	FnWsum        uint16 = 23
	FnRem         uint16 = 24
	FnYMD         uint16 = 25
	FnValue36     uint16 = 26
	FnAlone       uint16 = 27
	FnTsum        uint16 = 28
	FnXsum        uint16 = 29
	FnOrdinals    uint16 = 30
	FnNumeric     uint16 = 31
	FnMod37       uint16 = 32
	FnMod3736     uint16 = 33
	FnMod2726     uint16 = 34
	FnMod661      uint16 = 35
	FnMod1271     uint16 = 36
	FnCRC62       uint16 = 37
	FnCRCHex      uint16 = 38
	FnYYMMDD      uint16 = 39
	FnPhone       uint16 = 40
	FnRegistered  uint16 = 41
	FnEmail       uint16 = 42
	FnEIP55       uint16 = 43

	FnUnder uint16 = 64
)

// The longest texts and the most elements that the cost of an expression is
// bounded for. Who fills a frame keeps to them: a longer text is cut or refused
// before an expression sees it.
const (
	MaxValue       = 64 << 10 // bytes of value, match.text
	MaxName        = 1 << 10  // bytes of names, paths, types, keys and other short texts
	MaxType        = 128      // bytes of field.type
	MaxDescription = 4 << 10  // bytes of field.description
	MaxAround      = 80       // bytes of match.before and match.after, and how far context reaches
	MaxWords       = 64       // words of a name
	MaxEntries     = 64       // entries of a map
	MaxGroups      = 32       // groups of a match
)

var strMap = expr.MapOf(expr.TString)

var fieldVars = []expr.Var{
	FieldName:        {Name: "field.name", Type: expr.TString, MaxLen: MaxName, Doc: "name of the field as the data has it"},
	FieldPath:        {Name: "field.path", Type: expr.TString, MaxLen: MaxName, Doc: "path from the record to the field"},
	FieldWords:       {Name: "field.words", Type: expr.ListOf(expr.TString), MaxLen: 128, MaxElems: MaxWords, Doc: "words of the name, lower case"},
	FieldType:        {Name: "field.type", Type: expr.TString, MaxLen: MaxType, Doc: "declared type, as the source names it"},
	FieldTags:        {Name: "field.tags", Type: strMap, MaxLen: MaxName, MaxElems: MaxEntries, Doc: "declared tags"},
	FieldSource:      {Name: "field.source", Type: expr.TString, MaxLen: MaxName, Doc: "where the field comes from, such as a table or topic"},
	FieldDescription: {Name: "field.description", Type: expr.TString, MaxLen: MaxDescription, Doc: "description of the field"},
	FieldValue:       {Name: "value", Type: expr.TString, MaxLen: MaxValue, Doc: "value of the field in its text form"},
	FieldContext:     {Name: "context", Type: strMap, MaxLen: MaxName, MaxElems: MaxEntries, Doc: "what the caller says about the record"},
}

var matchVars = append(fieldVars[:FieldVars:FieldVars],
	expr.Var{Name: "match.text", Type: expr.TString, MaxLen: MaxValue, Doc: "text that the pattern found"},
	expr.Var{Name: "match.digits", Type: expr.TString, MaxLen: MaxName, Doc: "decimal digits of match.text"},
	expr.Var{Name: "match.groups", Type: expr.ListOf(expr.TString), MaxLen: MaxName, MaxElems: MaxGroups, Doc: "groups of the pattern, the whole match first"},
	expr.Var{Name: "match.before", Type: expr.TString, MaxLen: MaxAround, Doc: "text before the match"},
	expr.Var{Name: "match.after", Type: expr.TString, MaxLen: MaxAround, Doc: "text after the match"},
)

var policyVars = []expr.Var{
	PolicyCategory:         text("category", "category of the data, such as user.contact.email"),
	PolicyClass:            text("class", "class of the category, such as sensitive"),
	PolicyPurpose:          text("purpose", "purpose of the use"),
	PolicyFeature:          text("feature", "feature that uses the data"),
	PolicyOperation:        text("operation", "what is done with the data"),
	PolicyQualifier:        text("qualifier", "how identifiable the data is"),
	PolicyOrigin:           text("origin", "where the data comes from"),
	PolicyRecipientRole:    text("recipient.role", "role of who receives the data"),
	PolicyRecipientID:      text("recipient.id", "who receives the data"),
	PolicySubjectAccount:   text("subject.account", "kind of account of the person"),
	PolicySubjectTenant:    text("subject.tenant", "tenant that the person belongs to"),
	PolicySubjectAgeBand:   text("subject.age_band", "age band of the person"),
	PolicySubjectResidence: text("subject.residence", "where the person lives"),
	PolicySubjectAttr:      {Name: "subject.attr", Type: strMap, MaxLen: MaxName, MaxElems: MaxEntries, Doc: "further attributes of the person"},
	PolicyRegion:           text("region", "where the data is processed"),
	PolicyContext:          {Name: "context", Type: strMap, MaxLen: MaxName, MaxElems: MaxEntries, Doc: "what the caller says about the request"},
}

func text(name, doc string) expr.Var {
	return expr.Var{Name: name, Type: expr.TString, MaxLen: MaxName, Doc: doc}
}

var fieldFuncs = []expr.Func{
	{ID: FnHasAll, Name: "hasAll", Member: true, Params: []expr.Type{expr.ListOf(expr.TString), expr.ListOf(expr.TString)}, Result: expr.TBool, Cost: 1, Doc: "whether every text of the argument is in the list"},
	{ID: FnHasAny, Name: "hasAny", Member: true, Params: []expr.Type{expr.ListOf(expr.TString), expr.ListOf(expr.TString)}, Result: expr.TBool, Cost: 1, Doc: "whether any text of the argument is in the list"},
	{ID: FnIs, Name: "is", Member: true, Params: []expr.Type{expr.TString, expr.TString}, Result: expr.TBool, Const: 2, Cost: 2, Doc: "whether the whole text is what the detector looks for"},
	{ID: FnFinds, Name: "finds", Member: true, Params: []expr.Type{expr.TString, expr.TString}, Result: expr.TBool, Const: 2, Cost: 4, Doc: "whether the detector finds something in the text"},
	check(FnLuhn, "luhn", "Luhn check digit (ISO/IEC 7812)"),
	check(FnIBAN, "iban", "IBAN: country, length and check digits"),
	check(FnMod97, "mod97", "check digits modulo 97 (ISO/IEC 7064)"),
	check(FnMod11, "mod11", "check digit modulo 11-2 (ISO/IEC 7064)"),
	check(FnMod1110, "mod1110", "check digit modulo 11,10 (ISO/IEC 7064)"),
	check(FnVerhoeff, "verhoeff", "Verhoeff check digit"),
	check(FnDamm, "damm", "Damm check digit"),
	check(FnISIN, "isin", "ISIN (ISO 6166)"),
	check(FnICAO, "icao", "check digit of travel documents (ICAO 9303)"),
	check(FnBase58Check, "base58check", "Base58Check address"),
	check(FnBech32, "bech32", "Bech32 or Bech32m address"),
	check(FnIP, "ip", "IP address, version 4 or 6"),
	check(FnCIDR, "cidr", "IP prefix, version 4 or 6"),
	check(FnDomain, "domain", "domain name with a known top level"),
	check(FnUUID, "uuid", "UUID"),
	check(FnULID, "ulid", "ULID"),
	{ID: FnEntropy, Name: "entropy", Params: []expr.Type{expr.TString}, Result: expr.TDouble, Cost: 1, Doc: "Shannon entropy in bits per character"},
	{ID: FnDigits, Name: "digits", Params: []expr.Type{expr.TString}, Result: expr.TString, Cost: 1, Doc: "decimal digits of the text, everything else left out"},
	{ID: FnWsum, Name: "wsum", Params: []expr.Type{expr.TString, expr.ListOf(expr.TInt)}, Result: expr.TInt, Cost: 1, Doc: "sum of each digit times its weight; an error unless all are digits and there is a weight for each"},
	{ID: FnRem, Name: "rem", Params: []expr.Type{expr.TString, expr.TInt}, Result: expr.TInt, Cost: 1, Doc: "decimal number modulo n; an error unless all are digits and n is positive"},
	check(FnYMD, "ymd", "eight digits YYYYMMDD that are a day of the calendar"),
	{ID: FnValue36, Name: "value36", Params: []expr.Type{expr.TString}, Result: expr.TInt, Cost: 1, Doc: "0 to 35 for one character 0-9, A-Z; an error for anything else"},
	{ID: FnAlone, Name: "alone", Params: []expr.Type{expr.TString, expr.TString}, Result: expr.TBool, Cost: 1, Doc: "whether the text before and the text after leave a match on its own, not a part of a longer number, version, UUID or code"},
	{ID: FnTsum, Name: "tsum", Params: []expr.Type{expr.TString, expr.ListOf(expr.TInt), expr.ListOf(expr.TInt)}, Result: expr.TInt, Cost: 1, Doc: "sum of a table's value for each character, digits first and then letters of either case, times its weight; an error unless the table has 36 values, the text only digits and letters, and there is a weight for each"},
	{ID: FnXsum, Name: "xsum", Params: []expr.Type{expr.TString, expr.ListOf(expr.TInt)}, Result: expr.TInt, Cost: 1, Doc: "sum of the digits of each digit times its weight; an error unless all are digits and there is a weight of 0 or more for each"},
	{ID: FnOrdinals, Name: "ordinals", Params: []expr.Type{expr.TString}, Result: expr.TString, Cost: 2, Doc: "digits as they are, letters as 01 to 26, everything else left out"},
	{ID: FnNumeric, Name: "numeric", Params: []expr.Type{expr.TString}, Result: expr.TString, Cost: 2, Doc: "digits as they are, letters as 10 to 35, everything else left out"},
	check(FnMod37, "mod37", "check character modulo 37-2 (ISO/IEC 7064)"),
	check(FnMod3736, "mod3736", "check character modulo 37,36 (ISO/IEC 7064)"),
	check(FnMod2726, "mod2726", "check letter modulo 27,26 (ISO/IEC 7064)"),
	check(FnMod661, "mod661", "two check letters modulo 661-26 (ISO/IEC 7064)"),
	check(FnMod1271, "mod1271", "two check characters modulo 1271-36 (ISO/IEC 7064)"),
	check(FnCRC62, "crc62", "last six characters are the CRC-32 of the rest in base 62"),
	check(FnCRCHex, "crchex", "last eight hexadecimal digits are the CRC-32 of the rest"),
	check(FnYYMMDD, "yymmdd", "six digits YYMMDD that are a day of some century"),
	{ID: FnPhone, Name: "phone", Params: []expr.Type{expr.TString, expr.TString}, Result: expr.TBool, Cost: 1, Doc: "telephone number that can exist: with + or 00 for region \"\", else as it is dialled in a region such as us"},
	check(FnRegistered, "registered", "domain name below a public suffix"),
	check(FnEmail, "email", "e-mail address whose domain can exist"),
	check(FnEIP55, "eip55", "Ethereum address whose capitals are those that EIP-55 asks for"),
}

func check(id uint16, name, doc string) expr.Func {
	return expr.Func{ID: id, Name: name, Params: []expr.Type{expr.TString}, Result: expr.TBool, Cost: 1, Doc: doc}
}

// The environments.
var (
	// Field is what a classification rule sees: one field with its value. Its
	// functions are carried out by the classifier.
	Field = &expr.Env{ID: EnvField, Name: "field", Vars: fieldVars, Funcs: fieldFuncs}

	// Match is what the check of a detector and a suppression see: what a pattern
	// found, and the field that it was found in.
	Match = &expr.Env{ID: EnvMatch, Name: "match", Vars: matchVars, Funcs: fieldFuncs}

	// Policy is what conditions of consent, transformation, residency and
	// retention see. [PolicyHost] carries out its functions.
	Policy = &expr.Env{ID: EnvPolicy, Name: "policy", Vars: policyVars, Funcs: []expr.Func{
		{ID: FnUnder, Name: "under", Params: []expr.Type{expr.TString, expr.TString}, Result: expr.TBool, Cost: 1, Doc: "whether a key is the ancestor itself or below it"},
	}}
)

// Env finds an environment by its number.
func Env(id uint8) (*expr.Env, bool) {
	switch id {
	case EnvField:
		return Field, true
	case EnvMatch:
		return Match, true
	case EnvPolicy:
		return Policy, true
	}
	return nil, false
}

// PolicyHost carries out the functions of [Policy]. The zero PolicyHost is ready
// to use and safe for concurrent use.
type PolicyHost struct{}

// Call implements [expr.Host].
func (PolicyHost) Call(fn uint16, args []expr.Value) (expr.Value, expr.Code) {
	if fn != FnUnder || len(args) != 2 {
		return expr.Value{}, expr.BadArgument
	}
	return expr.Bool(Under(args[0].AsString(), args[1].AsString())), expr.OK
}

// Under reports whether a dotted key is ancestor itself or lies below it:
// "user.contact.email" is under "user.contact", "user.contacts" is not.
func Under(key, ancestor string) bool {
	rest, ok := strings.CutPrefix(key, ancestor)
	return ok && (rest == "" || rest[0] == '.')
}
