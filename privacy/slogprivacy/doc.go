// Package slogprivacy keeps personal data out of logs: a handler for log/slog that
// stands before another one and hands it messages and attributes without what they
// should not hold.
//
//	logger := slog.New(slogprivacy.New(slog.NewJSONHandler(os.Stderr, nil), classify.Builtin()))
//	logger.Info("mail to jane@example.com failed", "user", user)
//	// {"msg":"mail to [user.contact.email] failed","user":{"email":"[user.contact.email]","id":7}}
//
// # Who decides
//
// The classifier alone, if there is no more than that: what is of a category below
// one of [WithCategories] is replaced, whatever it is for. Without that option it is
// everything below user, but for two: user.unique_id.pseudonymous, since a pseudonym
// of this project is what a log should hold, and user.telemetry, since fields such as
// "error" have that name. With a [privacy.Guard] and no purpose it is the same, by the
// classification of the guard's policy.
//
// The policy, if there is a guard and [WithPurpose] or [WithEvent] says what the log
// is for. Each value is then put to [privacy.Guard.Process] as a field of such an
// event, and the log has what the policy permits, in the form that its transforms
// give: kept, pseudonymised, generalised, masked, replaced or dropped. What a purpose
// may not have is gone, and a purpose that the policy does not know may have nothing.
//
// # Forms
//
// Without a policy a value is replaced by its category, [user.contact.email]. Where a
// name, a tag or a value as a whole says what a field is, all of it is replaced; in
// the message and other texts, the pieces that detectors find, and the rest stays.
// With [WithDrop] a whole value goes with its key; pieces of texts are replaced
// still. A pseudonym is a form that a policy gives: it says of which tenant and for
// which purpose it may be made.
//
// Four marks say that a value was not looked at and therefore not passed on:
// [unreadable] has no text, such as a func or bytes that are not text, or its own
// method failed; [cut] lies deeper than 32 levels, behind 4,096 values or 1 MiB of
// text of one line, or behind the first 64 KiB of a text; [cycle] leads back to a
// value that it is a part of; [undecided] is what the guard gave an error about. The
// mark [unknown category] stands for a value whose tag names a category that the
// taxonomy does not have.
//
// # What is looked into
//
// Everything that is nested: groups, attributes of With, [slog.LogValuer] also inside
// of other values, structs, maps, lists, pointers, interfaces, errors by their text,
// [encoding/json.RawMessage] and texts that are a JSON object or list,
// [encoding/json.Marshaler], [encoding.TextMarshaler], URLs part by part, also those
// with %40 for @. Keys are looked at as texts are. Bytes count as text if they are
// printable UTF-8.
//
// What had to be taken apart comes out as plain data: map[string]any, []any, texts,
// numbers, times. Structs have the fields that encoding/json gives them, under its
// names: nothing that is not exported or has json:"-" comes out, not by %v either. The
// tag privacy:"user.contact.email" declares the category of a field and all below it;
// privacy:"-" says that it holds nothing personal, so that it is not looked at, unless
// a policy decides. A struct with exported fields is taken apart even if it has a
// String method, as encoding/json does: a type that must not show its fields has
// LogValue, MarshalText or MarshalJSON. An error comes out as an error with the same
// text and nothing else. Plain values in which nothing was found are handed on as they
// are, and a line of nothing else is handed on without a copy.
//
// A group, struct or map under a name of credentials, such as "password" or "token",
// is replaced value by value.
//
// # Promises
//
// A line is never lost or refused because of this handler: what fails is replaced by
// a mark, panics of methods included. It does nothing for a level that is not enabled.
// It waits for nothing by itself; a guard with a ledger or a secret store waits as
// long as these do, so give it ones that answer from memory. It starts no goroutine,
// keeps nothing of a line but names of fields, changes no value of the caller, and is
// safe for concurrent use. Attributes of With are decided once, by the policy that is in force then.
//
// What it cannot do is what detectors cannot: names and places in prose are not
// found, and nobody looks into texts that are encoded, such as base64, or encrypted.
// See package classify. Handlers that add data of their own, as AddSource
// does, do so behind this one.
package slogprivacy
