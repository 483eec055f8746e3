/**
 * Privacy decisions by a compiled policy: what personal data a field holds, whether
 * it may be used for a purpose, in what form, and until when. This package runs the
 * WebAssembly module of Privet; its answers are the bytes that the Go packages give.
 *
 * ```js
 * import { readFile } from 'node:fs/promises';
 * import { open } from 'privet-wasm';
 *
 * const guard = await open(await readFile('privet.wasm'), await readFile('policy.bundle'));
 * const result = guard.process({ at: '2026-03-28T10:00:00Z', purpose: 'service.provide', fields: { note: 'hello' } });
 * ```
 *
 * Everything after `open` is synchronous. A denial is a result and not an error;
 * what is thrown is a {@link PrivetError} and says that nothing could be decided.
 * No call reads a clock: an event and a request carry their own instant.
 */

/** Bytes in any of the forms that JavaScript has for them. They are not changed. */
export type Bytes = Uint8Array | ArrayBuffer | ArrayBufferView;

/**
 * Starts an instance of the module for one policy.
 *
 * @param module `privet.wasm`: its bytes, or a module compiled beforehand. Compile
 *   once (`await WebAssembly.compile(bytes)`) if you open several policies or start
 *   several workers.
 * @param bundle what `privet compile` wrote.
 * @throws {PrivetError} `NOT_MODULE`, `ABI`, `NOT_BUNDLE`, `BUNDLE_NEWER`,
 *   `BUNDLE_TRUNCATED`, `BUNDLE_CORRUPT`, `BUNDLE_TOO_LARGE` or `BAD_POLICY`.
 */
export function open(module: Bytes | WebAssembly.Module, bundle: Bytes): Promise<Guard>;

/**
 * What a module says of itself before it is started: the text of its custom
 * section `privacy.abi`, or null if it was never stamped.
 */
export function info(module: Bytes | WebAssembly.Module): Promise<ModuleInfo | null>;

/**
 * Answers questions by one policy. It owns an instance of the module with a memory
 * of its own, so it belongs to one thread, and calls do not overlap. To replace a
 * policy, open the new one, use it, and close the old one.
 */
export class Guard {
  private constructor();

  /**
   * Decides about an event and carries the decision out on a copy. Numbers of the
   * event and of the result pass through JavaScript's; where they must stay exact
   * to the digit, use {@link processRaw}.
   */
  process(event: Event): Result;

  /** Like {@link process}, and the result has a trail: every rule that had a say. */
  explain(event: Event): Result;

  /**
   * Like {@link process} on JSON: an event in UTF-8 or text, a result in UTF-8 with
   * sorted keys. Equal events give equal bytes on every platform, and numbers keep
   * their text.
   */
  processRaw(event: string | Bytes): Uint8Array;

  /** Says what personal data a field holds, most certain first; empty: none that is known. */
  classify(field: Field): Label[];

  /** Answers whether something may be done, by the policy and by the consents in the request. */
  decide(request: Request): Decision;

  /** Says from when data may be deleted and by when it must be gone. */
  plan(input: PlanInput): Plan;

  /**
   * Makes the token of a value in a scope. Equal values of one scope give equal
   * tokens; tokens of different scopes cannot be joined. A token is pseudonymous,
   * not anonymous.
   */
  pseudonymise(request: PseudonymiseRequest): Pseudonym;

  /**
   * Gives the secret that a tenant's pseudonyms are made with. The newest version
   * makes new tokens; a version is never replaced. The module keeps the secret
   * until the guard is closed and zeroes the copy on the way; your own copy is
   * yours to destroy.
   *
   * @param version from 1.
   * @param secret 32 bytes from a cryptographic random source.
   */
  addSecret(tenant: string, version: number, secret: Bytes): void;

  /** What the policy knows: its name and fingerprint, categories, rules, detectors. */
  describe(): Description;

  /** Says which policy some bytes hold, without opening it; throws as `open` does. */
  validate(bundle: Bytes): PolicyInfo;

  /** Known answers, computed anew in this instance. Throws `SELFTEST_FAILED` if one is wrong. */
  selftest(): { checks: Record<string, boolean>; ok: boolean };

  /** Calls, buffers and memory of the instance. */
  stats(): Record<string, number>;

  /** One operation of the interface, by its name there: bytes in, bytes out. */
  callRaw(
    op: 'describe' | 'classify' | 'hash' | 'consent_check' | 'retention' | 'explain' | 'validate' | 'selftest' | 'process' | 'stats' | 'add_secret',
    request?: string | Bytes,
  ): Uint8Array;

  /** Forgets the policy, its secrets and the instance. Later calls throw `CLOSED`. */
  close(): void;
}

/**
 * Says why nothing could be decided. Its message names parts of the request by
 * their documented keys and by byte offsets, never by content.
 */
export class PrivetError extends Error {
  readonly name: 'PrivetError';
  /** For programs; stable. The module's are listed in ABI.md; this package adds the last six. */
  readonly code:
    | 'BAD_REQUEST' | 'TOO_LARGE' | 'TOO_DEEP' | 'TOO_MANY' | 'RULE_ERROR'
    | 'NO_SECRET' | 'SECRET_DESTROYED' | 'BAD_SECRET' | 'BAD_SCOPE' | 'BAD_VALUE'
    | 'NOT_BUNDLE' | 'BUNDLE_NEWER' | 'BUNDLE_TRUNCATED' | 'BUNDLE_CORRUPT' | 'BUNDLE_TOO_LARGE' | 'BAD_POLICY'
    | 'UNKNOWN_OP' | 'BAD_HANDLE' | 'BAD_POINTER' | 'TOO_MANY_HANDLES' | 'TOO_MANY_BUFFERS' | 'SELFTEST_FAILED' | 'INTERNAL'
    | 'NOT_MODULE' | 'ABI' | 'BAD_ARGUMENT' | 'CLOSED' | 'INSTANCE_LOST'
    | (string & {});
  /** How to put it right. */
  readonly mend?: string;
  /** Byte of the request, from 0. */
  readonly offset?: number;
  /** Such as `subject.tenant`. */
  readonly part?: string;
  /** The rule of the policy that could not be evaluated. */
  readonly rule?: string;
  /** The error as the module wrote it, if it was the module's. */
  readonly raw?: Uint8Array;
}

/** An instant as RFC 3339 writes it: `2026-03-28T10:00:00Z`. */
export type Instant = string;

export interface ModuleInfo {
  abi: { major: number; minor: number };
  codes: Record<string, number>;
  limits: Record<string, number>;
  ops: Record<string, number>;
  product: string;
  profile: number;
  version?: string;
}

export interface Subject {
  /** The person, as the caller knows them; in no result. */
  id?: string;
  account?: string;
  /** Whose data it is: pseudonyms join inside one tenant only. */
  tenant?: string;
  age_band?: string;
  residence?: string;
  attr?: Record<string, string>;
}

/** What an event and a request have in common. What is left out is not known. */
export interface Circumstances {
  purpose?: string;
  /** Several: every one must allow. */
  purposes?: string[];
  class?: string;
  feature?: string;
  operation?: 'collect' | 'use' | 'promote' | 'combine' | 'share' | 'sync' | 'export' | 'erase';
  subject?: Subject;
  switches?: Record<string, boolean | 'on' | 'off'>;
  admin?: Record<string, boolean | 'on' | 'off'>;
  /** How the age is known. */
  age_assured?: 'declared' | 'estimated' | 'verified';
  /** Where the person is, a place such as `DE` or `US-CA`. */
  location?: string;
  signals?: { gpc?: boolean; list?: Signal[] };
  /** Switches that are narrower than `switches` and `admin`. */
  settings?: Setting[];
  /** To what is behind a legal obligation or a vital interest: an id. */
  reference?: string;
  /** The person asked for this very act. */
  by_subject?: boolean;
  party?: string;
  collector?: string;
  origin?: string;
  channel?: string;
  data_source?: string;
  qualifier?: string;
  claim?: string;
  recipient?: { role?: string; id?: string };
  region?: string;
  staff_country?: string;
  service?: string;
  promote?: { from?: string; to?: string };
  combine?: { with?: Origin[] };
  share?: { recipient?: string; attributes?: string[] };
  notices?: NoticeRef[];
  context?: Record<string, string>;
}

export interface Event extends Circumstances, Facts {
  id?: string;
  /** When it happened. Required. */
  at: Instant;
  anchors?: Record<string, Instant>;
  /** Anchors that were taken back, and when. */
  withdrawn?: Record<string, Instant>;
  holds?: Hold[];
  erasure?: Erasure;
  /** What the caller knows of fields, by path. */
  declared?: Record<string, { category?: string; class?: string }>;
  fields?: Record<string, unknown>;
}

export interface Request extends Circumstances, Facts {
  at: Instant;
  category?: string;
}

/** What is known of the subject; the module has no ledger. */
export interface Facts {
  consents?: ConsentRecord[];
  /** Histories of devices that turned out to be the subject's. */
  merged?: { at: Instant; consents: ConsentRecord[] }[];
  claims?: Claim[];
  erased?: boolean;
  restricted?: boolean;
}

/** A parsed opt-out signal. */
export interface Signal {
  kind: 'gpc' | 'gpp' | 'usp' | 'dnt';
  /** Of a GPP section: what it says no to. */
  opt_out?: ('sale' | 'share' | 'targeted_ads' | 'profiling' | 'sensitive')[];
  /** When it was first seen from the device. */
  since?: Instant;
  source?: string;
  device?: string;
}

export interface Setting {
  feature: string;
  by: 'user' | 'admin';
  on: boolean | 'on' | 'off';
  /** Left out: both. */
  of?: 'collection' | 'use';
  collector?: string;
  tenant?: string;
  device?: boolean;
}

export interface PlanInput extends Circumstances {
  now: Instant;
  category?: string;
  anchors?: Record<string, Instant>;
  /** Anchors that were taken back, and when. */
  withdrawn?: Record<string, Instant>;
  holds?: Hold[];
  erasure?: Erasure;
  explain?: boolean;
}

/** Forbids deletion. At most 256 of them. */
export interface Hold {
  id: string;
  /** For people; no answer repeats it. */
  reason?: string;
  authority?: string;
  /** A category, or "*" for all data. */
  scope: string;
  /** Left out: suspend. */
  effect?: 'suspend' | 'restart' | 'toll';
  placed: Instant;
  /** Left out: open. */
  released?: Instant;
}

/** The request of a person to have data erased. */
export interface Erasure {
  id: string;
  source?: string;
  at: Instant;
  /** A category; left out: all data. */
  scope?: string;
}

export interface Field {
  name?: string;
  path?: string;
  type?: string;
  value?: string | number | boolean;
  source?: string;
  description?: string;
  tags?: Record<string, string>;
  context?: Record<string, string>;
}

export interface PseudonymiseRequest {
  tenant: string;
  purpose: string;
  category: string;
  value: string | number;
  /** Left out: the category decides. */
  type?: 'text' | 'email' | 'email-uid2' | 'phone' | 'uuid' | 'int' | 'ip' | 'ip-prefix' | 'date';
}

export interface Pseudonym {
  token: string;
  linkability: 'linkable';
}

export interface Origin { class?: string; service?: string }
export interface NoticeRef { id?: string; version?: string }

export interface ConsentRecord {
  id?: string;
  purpose: string;
  operation?: string;
  channel?: string;
  recipient?: string;
  service?: string;
  from?: string;
  to?: string;
  origins?: Origin[];
  attributes?: string[];
  state: 'requested' | 'deferred' | 'denied' | 'granted' | 'renewed' | 'withdrawn' | 'objected' | 'invalidated' | 'terminated';
  strength?: 'implied' | 'expressed' | 'explicit';
  given: Instant;
  expires?: Instant;
  notice?: NoticeRef;
  /** Left out: subject. */
  by?: 'subject' | 'guardian' | 'both';
  /** Given after notice that an opt-out signal says otherwise. */
  after_conflict?: boolean;
}

export interface Claim {
  id: string;
  result: 'linked' | 'linkable' | 'unlinkable' | 'aggregate';
  checked_at: Instant;
  expires?: Instant;
  live_key?: boolean;
}

export interface Label {
  category: string;
  /** 0 to 1, in thousandths. */
  confidence: number;
  rule?: string;
  detector?: string;
  iso19944?: string;
  qualifier?: string;
  /** Places in the value, in bytes of its UTF-8, without the end. */
  spans?: { start: number; end: number }[];
}

export type Outcome = 'allow' | 'partial' | 'ask' | 'deny';
export type Action = 'keep' | 'drop' | 'redact' | 'pseudonymise' | 'generalise' | 'mask' | 'withhold';

export interface Ask {
  from: string;
  purposes: string[];
  strength: string;
  what: string;
}

export interface FieldDecision {
  path: string;
  labels: Label[];
  outcome: Outcome;
  reason: string;
  rule?: string;
  action: Action;
  by?: string;
  note?: string;
  spans?: { start: number; end: number; category: string; outcome: Outcome; reason: string; action: Action; by?: string; note?: string }[];
}

export interface Obligation {
  kind: string;
  rule?: string;
  source?: string;
  values?: string[];
  limit?: string;
  strength?: string;
  period?: string;
  anchor?: string;
}

export type PlanStatus = 'keep' | 'deletable' | 'due' | 'overdue' | 'pending_event' | 'no_rule' | 'conflict' | 'held';
export type Method = 'clear' | 'purge' | 'destroy';

export interface CopyWindow {
  status: PlanStatus;
  breach: boolean;
  earliest: Instant | null;
  latest: Instant | null;
  ceiling?: string;
  delete?: string;
  floor?: string;
  method?: Method;
}

export interface Plan {
  status: PlanStatus;
  breach: boolean;
  earliest: Instant | null;
  latest: Instant | null;
  strength: string | null;
  category?: string;
  ceiling?: string;
  /** Copies whose window is another than that of the primary copy. */
  copies?: Partial<Record<'backup' | 'cache' | 'derived' | 'log' | 'media' | 'replica', CopyWindow>>;
  decided?: boolean;
  delete?: string;
  /** What stands against a request for erasure. */
  exemptions?: { category?: string; rule: string; source?: string; until: Instant | null }[];
  floor?: string;
  /** The hold that keeps the data, or that was released last. */
  hold?: string;
  late_because_held?: boolean;
  /** How media must be cleaned, at least. */
  method?: Method;
  missing?: string[];
  no_rule?: string[];
  notices?: { channels?: string[]; due: Instant; purpose?: string; rule: string }[];
  phases?: { allow?: string[]; start: Instant | null; end: Instant | null; name: string; rule: string }[];
  trail?: Record<string, unknown>[];
}

export interface PolicyInfo {
  name: string;
  version: number;
  /** SHA-256 of the bundle, in lower-case hex. */
  fingerprint: string;
}

export interface Result {
  id: string;
  outcome: Outcome;
  reason: string;
  /** The permitted copy. */
  fields: Record<string, unknown>;
  /** One for each field, in the order of paths. */
  decisions: FieldDecision[];
  ask: Ask[];
  obligations?: Obligation[];
  retention: Plan;
  linkability: 'linked' | 'linkable' | 'unlinkable' | 'aggregate';
  withheld?: { category: string; count: number; by: string; why: string }[];
  trail?: { room: string; path?: string; rule?: string; source?: string; text: string }[];
  policy: PolicyInfo;
}

export interface Decision {
  outcome: 'allow' | 'ask' | 'deny';
  reason: string;
  /** Row of the precedence table that decided. */
  row: number;
  rule?: string;
  source?: string;
  note?: string;
  purpose?: string;
  basis?: string;
  /** Mechanism of the place, where the policy has regimes. */
  regime?: 'opt_in' | 'opt_out' | 'notice_only' | 'none';
  evidence?: { kind: string; id: string }[];
  /** What would have counted and did not. */
  overridden?: { row: number; reason: string; rule?: string; note?: string }[];
  /** Fingerprint of the policy. */
  policy_hash?: string;
  ask?: Ask;
  obligations?: Obligation[];
  not_after?: Instant;
  by_purpose?: Decision[];
  [key: string]: unknown;
}

export interface Description {
  policy: PolicyInfo;
  profile: number;
  categories: { key: string; parent?: string; title?: string; iso19944?: string; qualifier?: string }[];
  rules: string[];
  detectors: string[];
}
