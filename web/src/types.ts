// What the door to the engine hands out and takes. Numbers that come in rows are Float32Array, row after row, as in the
// engine; names of tensors, axes and verbs are those of `rung trace`.

/** Which of the engine's backends runs the model: `reference`, plain f32, which everything is held against; `cpu`,
 *  fast, with SIMD and 8-bit activations where weights are quantised. */
export type Device = 'reference' | 'cpu';

/** A model's files: a `.gguf`, or what lies in a folder of the hub (config.json, tokenizer.json, safetensors). `File`s
 *  of an `<input>` or a drop fit. */
export interface ModelFile {
  /** The file's name, without a folder: `model.safetensors`. */
  name: string;
  /** Its bytes. They are copied into the engine's memory, a piece at a time, and go nowhere else. */
  data: Blob;
}

export interface LoadOptions {
  /** What the model is called in errors; absent: the file's name, `these files` where there are several. */
  name?: string;
  /** Default `reference`: the numbers that the course shows. */
  device?: Device;
  /** How many tokens a text may have at most, 0 or absent: what the model was made for, and at most 2048. */
  context?: number;
  /** Called while files are copied. */
  onProgress?: (bytesDone: number, bytesAll: number) => void;
}

/** What `load` found. */
export interface ModelFacts {
  /** `pebble`, or the file's or folder's name. */
  name: string;
  /** `llama`, `qwen3`, … */
  family: string;
  /** Decoder layers. */
  layers: number;
  /** Heads of queries in each layer. */
  heads: number;
  /** Heads of keys and values: `heads / kvHeads` queries share one. */
  kvHeads: number;
  /** Numbers of a head's vector. */
  headDim: number;
  /** Numbers of a token's row in the residual stream. */
  hidden: number;
  /** Numbers of a row inside the MLP. */
  intermediate: number;
  /** Rows of the embedding: the largest id + 1. */
  vocabulary: number;
  /** Tokens that the model was made for. */
  context: number;
  parameters: number;
  /** Bytes of the weights. */
  bytes: number;
  device: Device;
  /** `simd128` or `scalar`: the kernels that the device computes with. */
  kernels: string;
  /** Where in the engine's memory a learner's module lies: for `Compiler.compile`. */
  room: number;
}

export interface Token {
  id: number;
  /** What the token stands for; a byte that is no whole character shows as U+FFFD. */
  text: string;
  /** A mark that no text writes, as the beginning of a text. */
  special: boolean;
}

/** A token that may come next. */
export interface Candidate extends Token {
  /** The score. */
  logit: number;
  /** softmax of the scores over the whole vocabulary. */
  probability: number;
}

export interface Logits {
  tokens: Token[];
  /** [vocabulary]: a score for each token that may follow the text. */
  logits: Float32Array;
  /** The likeliest, best first. */
  top: Candidate[];
}

/** A number in the middle of the computation has a name: `embedding`, `layer.3.q_rope`, `logits`. */
export interface TracedTensor {
  name: string;
  /** -1: of no layer. */
  layer: number;
  /** `tokens`, `heads`, `head_dim`, … one for each number of `shape`. */
  axes: string[];
  shape: number[];
  min: number;
  max: number;
  /** Root of the mean of the squares: how loud the rows are. */
  rms: number;
  /** All of it, if asked for. */
  values?: Float32Array;
}

/** What each head of a layer looks at. */
export interface AttentionOf {
  layer: number;
  /** Heads of queries. */
  heads: number;
  /** [heads, tokens, tokens]: weights[h][t][j] is how much of token j token t takes; a row sums to 1. */
  weights: Float32Array;
}

/** The logit lens: what the model would say next if it ended after this layer (final norm and head, applied to the
 *  residual stream). */
export interface LensOf {
  /** -1: of the embedding, before the first layer. */
  layer: number;
  /** For each token of the text the likeliest next ones, best first. */
  rows: Candidate[][];
}

export interface Trace {
  tokens: Token[];
  /** In the order in which they are computed. */
  tensors: TracedTensor[];
  /** Of each layer, if asked for. */
  attention: AttentionOf[];
  /** Of the embedding and each layer, if asked for. */
  lens: LensOf[];
}

export interface TraceOptions {
  /** Only this layer's tensors. */
  layer?: number;
  /** Bring the numbers of these tensors along; `true`: of all (pebble with 20 tokens: 4 MB). */
  values?: boolean | string[];
  /** Bring what the heads look at. */
  attention?: boolean;
  /** Bring the logit lens, so many candidates a token. */
  lens?: number;
}

/** A place that what is switched on now (`switchOff`, `break`) made different. */
export interface Difference {
  name: string;
  layer: number;
  /** ‖changed − sound‖ / ‖sound‖ of the token row that differs most; 0: the same numbers. */
  distance: number;
}

export interface Comparison {
  tokens: Token[];
  /** Every checkpoint, in the order in which they are computed. */
  differences: Difference[];
  /** The first whose distance is above the contract's 1e-4; absent: none. */
  firstWrong?: string;
  /** In it the first number that is off, and what the tensor looks like beside the sound one, the most telling
   *  first. */
  where?: Where;
  patterns?: string[];
  /** What would come next: as it should be, and as it is. */
  sound: Candidate[];
  changed: Candidate[];
}

export interface GenerateOptions {
  /** Default 64; 0: until it ends by itself, or there is no more room. */
  maxTokens?: number;
  /** 0: always the likeliest. Absent: what the model's files say. */
  temperature?: number;
  topK?: number;
  topP?: number;
  minP?: number;
  repeatPenalty?: number;
  /** The same seed, the same text: here, on the command line, on any machine. */
  seed?: number;
  /** Called with each piece of text as soon as its characters are whole. */
  onText?: (piece: string) => void;
  /** Ends it: the engine starts anew and the call fails with an `AbortError`. */
  signal?: AbortSignal;
}

export interface Generated {
  text: string;
  ids: number[];
  /** `end-of-text`, `stop-string`, `max-tokens`, `context-full`. */
  reason: string;
  seed: number;
  /** Of the loop, without the prompt. */
  seconds: number;
  tokensPerSecond: number;
  prefillTokensPerSecond: number;
}

/** What can be switched off: what it would have added is 0. */
export type Part =
  /** One head of attention. */
  | { layer: number; head: number }
  /** All of a layer's attention, or its MLP, or both (the layer is passed by). */
  | { layer: number; part: 'attention' | 'mlp' | 'layer' };

/** A classic mistake of people who write a forward pass. */
export interface Mistake {
  /** `rope-pairing`, `causal-mask`, … */
  name: string;
  /** One line. */
  description: string;
}

/** What this machine can do in this page, measured. */
export interface Speed {
  /** Bytes per second that one thread reads from memory. */
  readBytesPerSecond: number;
  /** Multiplications and additions per second: of 8-bit integers, of floats. */
  int8PerSecond: number;
  floatPerSecond: number;
}

/** The compiler for pages: where it is fetched from is its own business (compiler.ts). */
export interface CompilerSize {
  /** Of the npm package @yowasp/clang. */
  version: string;
  /** What there is to fetch. */
  bytes: number;
  /** All of it is in this browser already. */
  kept: boolean;
}

export interface CompilerOptions {
  /** Called while it is fetched; not at all where it was kept. */
  onProgress?: (bytesDone: number, bytesAll: number) => void;
}

/** What is compiled: the file is NAME.cpp, and has a function of this name and type. */
export interface CompiledExercise {
  name: string;
  function: string;
  /** In C++: `void(std::span<float> out, float epsilon)`. */
  signature: string;
}

/** A change that clang proposes. Lines and columns count from 1; a column counts bytes of UTF-8. */
export interface Fix {
  line: number;
  column: number;
  endLine: number;
  endColumn: number;
  text: string;
}

/** What the compiler says of a place. */
export interface Message {
  /** 0: of the file as a whole. */
  line: number;
  column: number;
  endColumn: number;
  severity: 'error' | 'warning';
  text: string;
  fixes: Fix[];
}

export interface PlaceInCode {
  line: number;
  column: number;
}

export interface Compiled {
  /** Absent: it did not compile. */
  module?: Uint8Array;
  messages: Message[];
  /** All that the compiler wrote. */
  said: string;
}

export interface Compiler {
  /** A learner's file → a module for the engine's memory at `base` (`ModelFacts.room`). */
  compile(source: string, exercise: CompiledExercise, base: number): Promise<Compiled>;
  /** Places in a module that the engine was stopped at → lines of the learner's file, innermost first. */
  lines(module: Uint8Array, offsets: number[], exercise: { name: string }): Promise<PlaceInCode[]>;
  /** Ends the worker. */
  close(): void;
}

/** The first number of a run through the engine that is not as it should be. */
export interface Where {
  tensor: string;
  /** -1: of no layer. */
  layer: number;
  token: number;
  /** Where the tensor has heads. */
  head?: number;
  index: number;
  expected: number;
  /** null: no number (NaN), or an infinite one. So the distance. */
  got: number | null;
  /** ‖theirs − sound‖ / ‖sound‖ of the token's row. */
  distance: number | null;
}

/** What a check found out: src/learn/check.h says how. */
export interface Check {
  check: 'by-hand' | 'random' | 'pebble' | 'story' | 'speed';
  state: 'passed' | 'failed' | 'not-yet' | 'skipped';
  /** What was tried. */
  title: string;
  input?: string;
  expected?: string;
  got?: string;
  /** How the expected comes about, of a case solved by hand. */
  arithmetic?: string;
  /** The likeliest first; `page` is a page of the course with its anchor. */
  causes?: { id: string; sentence: string; page: string }[];
  /** Of `pebble`. */
  where?: Where;
  story?: string;
  referenceStory?: string;
}

export interface Report {
  exercise: string;
  passed: boolean;
  checks: Check[];
}

/** A case of a check. */
export interface TriedCase {
  /** "two numbers, weights of 1"; "inside pebble", without an input. */
  title?: string;
  input?: string;
}

/** Why a learner's code ended before its time, and in which case. */
export interface Stopped extends TriedCase {
  /** `not-yet`: it said so itself; `endless`: there was no sign of life for five seconds. */
  why: 'not-yet' | 'trap' | 'endless';
  /** In words; of `not-yet`: the function that is still to be written. */
  what: string;
  /** Where in the module, innermost first: for `Compiler.lines`. */
  offsets: number[];
}

/** A learner's function, compiled, and the exercise that it solves. */
export interface Solution {
  exercise: string;
  module: Uint8Array;
}

/** A known mistake of an exercise, which takes the learner's place. */
export interface ExerciseMistake {
  exercise: string;
  /** `merge-order-ignored`, … */
  mistake: string;
}

/** What there is to know about it. */
export interface KnownMistake extends ExerciseMistake {
  sentence: string;
  /** The page of the course that explains it, with its anchor. */
  page: string;
}

export interface RunOptions {
  /** What the learner's code prints. */
  onPrint?: (text: string) => void;
  /** Of checks: the name of each as it begins. Of stories: each piece. */
  onText?: (text: string) => void;
  /** Ends it: it fails with an AbortError, and the engine starts anew. */
  signal?: AbortSignal;
}

export interface Story {
  /** With the prompt. */
  text: string;
  ids: number[];
  /** In words: why nothing follows the prompt, or no more. */
  ended?: string;
}

/** An engine with a model. Calls wait for each other. What goes wrong is an `Error` with one line, and the engine lives
 *  on: where its code was stopped by the machine, it has started anew with the same model, parts switched off, and
 *  mistake. */
export interface Rung {
  readonly model: ModelFacts;
  /** text → tokens, with the model's special ones where it wants them. */
  tokenize(text: string): Promise<Token[]>;
  /** ids → text. */
  textOf(ids: number[]): Promise<string>;
  /** text → scores of the next token; `top`: how many of them by name (default 10). */
  logits(text: string, options?: { top?: number }): Promise<Logits>;
  /** text → every intermediate tensor of the forward pass. */
  trace(text: string, options?: TraceOptions): Promise<Trace>;
  /** text → how it goes on. */
  generate(text: string, options?: GenerateOptions): Promise<Generated>;
  /** Switches these parts off, and all others on again; `[]`: everything is on. */
  switchOff(parts: Part[]): Promise<void>;
  /** Makes this mistake from now on; null: none. */
  break(mistake: string | null): Promise<void>;
  /** Those that there are. */
  mistakes(): Promise<Mistake[]>;
  /** What is switched off or broken now against the sound model, tensor by tensor. */
  compare(text: string, options?: { top?: number }): Promise<Comparison>;
  /** The exercises that there are, by name, in the order in which they teach. */
  exercises(): Promise<string[]>;
  /** Tries a learner's function, from a case solved by hand to a story. Fails with an `Error` whose `stopped` says why
   *  where the function was stopped; the engine has started anew by then. What had failed before is answered even so:
   *  the function may be stopped when it is called again to find out why. */
  check(solution: Solution, options?: RunOptions): Promise<Report>;
  /** The check inside the engine alone, also of what fails before that: where it goes wrong, and why. */
  debug(solution: Solution | ExerciseMistake, options?: RunOptions): Promise<Report>;
  /** text → how it goes on with the learner's function in the engine's place. With the exercise alone: with Rung's own
   *  function there, which does the same; null: with the engine as it is. `tokens` as in `GenerateOptions`, default
   *  40. */
  storyWith(
    solution: Solution | ExerciseMistake | { exercise: string } | null,
    text: string,
    options?: RunOptions & { tokens?: number },
  ): Promise<Story>;
  /** Those that can be made in the engine. */
  exerciseMistakes(): Promise<KnownMistake[]>;
  /** How fast this machine is, in here; takes about half a second. */
  measure(): Promise<Speed>;
  /** Ends the worker. */
  close(): void;
}

/** Starts an engine in a worker and opens a model: pebble, which comes with it, or files. Fails with an `Error` of one
 *  line. */
export type Load = (model?: 'pebble' | ModelFile[], options?: LoadOptions) => Promise<Rung>;
