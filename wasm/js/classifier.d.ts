/**
 * Says what personal data a field or a text holds, by one policy that
 * `privet compile --target wasm` made into a WebAssembly module of kilobytes. Runs in
 * Node 18 and later, in browsers and in workers, without any other file.
 *
 * ```js
 * import { Classifier } from 'privet-wasm/classifier';
 *
 * const classifier = await Classifier.load(fetch('policy.wasm'));
 * classifier.field({ name: 'user_email', value: 'jane@example.com' });
 * // [{ category: 'user.contact.email', confidence: 0.98, rule: …, detector: …, spans: … }]
 * ```
 *
 * Everything after `load` is synchronous, sends nothing anywhere and keeps nothing. What
 * is thrown is a {@link ClassifierError}, which never holds what was asked.
 */

/** Where a module comes from. */
export type Source = Uint8Array | ArrayBuffer | ArrayBufferView | WebAssembly.Module | Response;

export interface Options {
  /**
   * What `start` and `end` of places count: `bytes` of UTF-8 (the default, and what
   * every other host says), or `utf16` units, as `String.prototype.slice` counts.
   */
  spans?: 'bytes' | 'utf16';
}

/**
 * An instance of a module. It belongs to one thread. To start others, compile once
 * (`await WebAssembly.compile(bytes)`), send the module to each worker and load it there.
 */
export class Classifier {
  private constructor();

  /**
   * Compiles and starts a module; a response is compiled while it arrives.
   * @throws {ClassifierError} `NOT_MODULE`, `ABI` or `NOT_FOUND`.
   */
  static load(source: Source | Promise<Source>, options?: Options): Promise<Classifier>;

  /**
   * What personal data a field holds, most certain first; empty: none that is known.
   * Half of a surrogate pair counts as U+FFFD.
   * @throws {ClassifierError} `TOO_LARGE` if the parts of the field are longer together
   *   than `describe().max_input`, `BAD_ARGUMENT`, `INTERNAL`,
   *   `INSTANCE_LOST` or `CLOSED`.
   */
  field(field: Field): Label[];

  /** What is found in a text that is no field, in the order of places. Throws as {@link field}. */
  scan(text: string): Finding[];

  /**
   * The hot path: labels a field of which only name and value are known, without
   * places, and makes no garbage. Returns the number of labels; {@link rows} has them.
   *
   * ```js
   * const { categories } = classifier.describe();
   * const n = classifier.categories('user_email', '');
   * for (let i = 0; i < n; i++) console.log(categories[classifier.rows[4 * i]].key);
   * ```
   */
  categories(name: string, value: string): number;

  /**
   * The labels of the last call of {@link categories}, four numbers each: category, as
   * its place in `describe().categories`; confidence in thousandths; rule, 0 for none,
   * else its place in `describe().rules` plus 1; detector, likewise. It is written over
   * by the next call, and replaced by a longer one when there are many labels.
   */
  rows: Uint32Array;

  /** What the module knows. */
  describe(): Description;

  /** Gives the instance up. Later calls throw `CLOSED`. */
  close(): void;
}

/** What is known of a field. All of it may be left out. */
export interface Field {
  name?: string;
  /** From the record to the field, such as `user.emails[0]`. */
  path?: string;
  /** The declared type, as its source names it. */
  type?: string;
  value?: string | number | bigint | boolean;
  /** Where it comes from, such as a table or a topic. */
  source?: string;
  description?: string;
  tags?: Record<string, string>;
  /** What the caller says about the record. */
  context?: Record<string, string>;
}

/** A label as {@link "privet-wasm"} gives it too. */
export interface Label {
  category: string;
  /** 0 to 1, in thousandths. */
  confidence: number;
  detector?: string;
  /** The clause of ISO/IEC 19944-1 that the category falls under. */
  iso19944?: string;
  /** How identifiable such data is as it is usually collected. */
  qualifier?: string;
  /** If there is one, the whole field is of the category; `declared` stands for a tag. */
  rule?: string;
  /** Where in the value the detectors of the category found it. */
  spans?: Span[];
}

/** A place, without its end; see {@link Options.spans}. */
export interface Span {
  start: number;
  end: number;
}

export interface Finding extends Span {
  detector: string;
  category: string;
  confidence: number;
}

export interface Description {
  abi: { major: number; minor: number };
  categories: { key: string; title?: string; iso19944?: string; qualifier?: string }[];
  /** `category` is a place in `categories`. */
  detectors: { id: string; category: number }[];
  rules: { id: string; category: number }[];
  /** The longest input in bytes. */
  max_input: number;
  /** Of the policy. */
  name: string;
  version: number;
  profile: number;
  /** The confidence in thousandths below which nothing is reported. */
  threshold: number;
}

/** Says why there is no answer. */
export class ClassifierError extends Error {
  readonly name: 'ClassifierError';
  /** For programs; stable. */
  readonly code:
    | 'TOO_LARGE' | 'BAD_ARGUMENT' | 'CLOSED' | 'INSTANCE_LOST' | 'INTERNAL'
    | 'NOT_MODULE' | 'NOT_FOUND' | 'ABI' | 'BAD_POINTER' | 'BAD_REQUEST';
  /** How to put it right. */
  readonly mend: string;
}
