/**
 * The query language of search: `'Zephyr Key' = 'A-1' and (Id in ('TC-1', 'TC-2') or Name ~ 'x')`.
 * @module
 */
import { refuse } from "./call.ts";

export type Operator = "=" | "!=" | "<" | ">" | "<=" | ">=" | "~" | "!~" | "in" | "is";
export type Query =
  | { type: "and" | "or"; parts: Query[] }
  | { type: "test"; field: string; operator: Operator; values: string[] };

interface Token {
  text: string;
  isQuoted: boolean;
}

const OPERATORS = new Set(["=", "!=", "<>", "<", ">", "<=", ">=", "~", "!~", "in", "is"]);
const TOKEN = /\s*(?:'([^']*)'|([(),])|(!=|<>|<=|>=|!~|=|<|>|~)(?=\s|$)|([^\s'(),]+))/y;

function tokens(text: string): Token[] {
  const found: Token[] = [];
  TOKEN.lastIndex = 0;
  const end = text.trimEnd().length;
  while (TOKEN.lastIndex < end) {
    const match = TOKEN.exec(text);
    if (match === null) refuse(400, "The query is invalid");
    found.push({
      text: match[1] ?? match[2] ?? match[3] ?? match[4] ?? "",
      isQuoted: match[1] !== undefined,
    });
  }
  return found;
}

class Parser {
  readonly #tokens: Token[];
  #at = 0;

  constructor(text: string) {
    this.#tokens = tokens(text);
  }

  parse(): Query {
    const query = this.#or();
    if (this.#at < this.#tokens.length) refuse(400, "The query is invalid");
    return query;
  }

  #isNext(text: string): boolean {
    const token = this.#tokens[this.#at];
    return token !== undefined && !token.isQuoted && token.text.toLowerCase() === text;
  }
  #take(): Token {
    const token = this.#tokens[this.#at++];
    if (token === undefined) refuse(400, "The query ends too early");
    return token;
  }
  #accept(text: string): boolean {
    const isNext = this.#isNext(text);
    if (isNext) this.#at++;
    return isNext;
  }

  #or(): Query {
    const parts = [this.#and()];
    while (this.#accept("or")) parts.push(this.#and());
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : { type: "or", parts };
  }
  #and(): Query {
    const parts = [this.#test()];
    while (this.#accept("and")) parts.push(this.#test());
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : { type: "and", parts };
  }
  #test(): Query {
    if (this.#accept("(")) {
      const inner = this.#or();
      if (!this.#accept(")")) refuse(400, "The query is invalid");
      return inner;
    }
    const field = this.#take().text;
    const operator = this.#take().text.toLowerCase();
    if (!OPERATORS.has(operator)) refuse(400, `Operator "${operator}" is invalid`);
    if (operator === "in") return { type: "test", field, operator, values: this.#list() };
    const value = this.#take().text;
    const known = operator === "<>" ? "!=" : operator as Operator;
    return { type: "test", field, operator: known, values: [value] };
  }
  #list(): string[] {
    if (!this.#accept("(")) return [this.#take().text];
    const values = [this.#take().text];
    while (this.#accept(",")) values.push(this.#take().text);
    if (!this.#accept(")")) refuse(400, "The query is invalid");
    return values;
  }
}

/** Parses a query; null for the empty one. Throws a 400 for what it does not understand. */
export function parseQuery(text: string): Query | null {
  return text.trim() === "" ? null : new Parser(text).parse();
}

/** What a field of an object is compared by: any of several texts, a number or an instant. */
export type FieldValue = string[] | number | { instant: number } | null;

function compareOrdered(left: number, operator: Operator, right: number): boolean {
  switch (operator) {
    case "<":
      return left < right;
    case ">":
      return left > right;
    case "<=":
      return left <= right;
    case ">=":
      return left >= right;
    case "!=":
      return left !== right;
    default:
      return left === right;
  }
}

const DAY_MS = 86_399_000;

/** True when a value passes a test. Text is compared without case. */
export function passes(value: FieldValue, operator: Operator, wanted: string[]): boolean {
  const [first = ""] = wanted;
  if (operator === "is") {
    const isEmpty = value === null || (Array.isArray(value) && value.every((text) => text === ""));
    return first.toLowerCase() === "not empty" ? !isEmpty : isEmpty;
  }
  if (value === null) return operator === "!=" || operator === "!~";
  if (typeof value === "number") {
    return operator === "in"
      ? wanted.some((text) => Number(text) === value)
      : compareOrdered(value, operator, Number(first));
  }
  if (Array.isArray(value)) return passesText(value, operator, wanted);
  if (operator === "in") {
    return wanted.some((text) => {
      const from = Date.parse(text);
      return from <= value.instant && value.instant <= from + DAY_MS;
    });
  }
  const instant = Date.parse(first);
  if (Number.isNaN(instant)) refuse(400, `"${first}" is not a date`);
  return compareOrdered(value.instant, operator, instant);
}

function passesText(texts: string[], operator: Operator, wanted: string[]): boolean {
  const lower = wanted.map((text) => text.toLowerCase());
  const [first = ""] = lower;
  const some = (test: (text: string) => boolean): boolean =>
    texts.some((text) => test(text.toLowerCase()));
  switch (operator) {
    case "=":
      return some((text) => text === first);
    case "!=":
      return !some((text) => text === first);
    case "~":
      return some((text) => text.includes(first));
    case "!~":
      return !some((text) => text.includes(first));
    case "in":
      return some((text) => lower.includes(text));
    default:
      return some((text) => {
        const order = Number.isNaN(Number(text)) || Number.isNaN(Number(first))
          ? text.localeCompare(first)
          : Number(text) - Number(first);
        return compareOrdered(order, operator, 0);
      });
  }
}
