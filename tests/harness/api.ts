// A client of the server's HTTP API that is generated from its OpenAPI document: one call per operation in
// /openapi.json. Requests and responses are validated against the schemas there.

import Ajv2020, { type ValidateFunction } from "ajv/dist/2020.js";

interface Reference {
  readonly $ref?: string;
}

interface Content {
  readonly content?: { readonly "application/json"?: { readonly schema: Reference } };
}

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
  }[];
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

/** The arguments of a call: parameters by name, wherever they belong, and the body. */
export interface Given {
  readonly parameters?: Readonly<Record<string, string | number>>;
  readonly body?: unknown;
}

/** The response. */
export interface Answer {
  readonly status: number;
  // Its type is up to the test.
  // biome-ignore lint/suspicious/noExplicitAny: the document says it, not the compiler.
  readonly body: any;
}

export class Api {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #operations = new Map<string, { method: string; path: string; operation: Operation }>();
  readonly #ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });

  private constructor(url: string, headers: Readonly<Record<string, string>>, document: Document) {
    this.#url = url;
    this.#headers = headers;
    this.#ajv.addSchema(document, "api");
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        if (operation.operationId === undefined) continue;
        this.#operations.set(operation.operationId, { method, path, operation });
      }
    }
  }

  /** Loads the document of the server at this URL. */
  static async of(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Api> {
    const response = await fetch(`${url}/openapi.json`);
    return new Api(url, headers, (await response.json()) as Document);
  }

  /** The same with this key or token. */
  static with(url: string, token: string): Promise<Api> {
    return Api.of(url, { authorization: `Bearer ${token}` });
  }

  /** The names of all operations. */
  get operations(): string[] {
    return [...this.#operations.keys()];
  }

  /** Calls, and returns the body of a successful response. */
  async call(name: string, given: Given = {}): Promise<Answer["body"]> {
    const { status, body } = await this.ask(name, given);
    if (status !== 200) throw new Error(`${name} returned status ${status}: ${JSON.stringify(body)}`);
    return body;
  }

  /** Calls, and returns the error code; "" if it succeeded. */
  async refused(name: string, given: Given = {}): Promise<string> {
    const { status, body } = await this.ask(name, given);
    return status === 200 ? "" : body.code;
  }

  async ask(name: string, { parameters = {}, body }: Given): Promise<Answer> {
    const found = this.#operations.get(name);
    if (found === undefined) throw new Error(`the document has no operation ${name}`);
    const { method, path, operation } = found;
    const headers: Record<string, string> = { ...this.#headers };
    const query = new URLSearchParams();
    let place = path;
    for (const [key, value] of Object.entries(parameters)) {
      const described = operation.parameters?.find((parameter) => parameter.name === key);
      if (described === undefined) throw new Error(`${name} has no parameter ${key}`);
      if (described.in === "path") place = place.replace(`{${key}}`, encodeURIComponent(value));
      else if (described.in === "query") query.set(key, String(value));
      else headers[key] = String(value);
    }
    if (place.includes("{")) throw new Error(`${name} lacks a path parameter: ${place}`);
    if (body !== undefined) headers["content-type"] = "application/json";
    const response = await fetch(`${this.#url}${place}${query.size > 0 ? `?${query}` : ""}`, {
      method: method.toUpperCase(),
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const answer: unknown = await response.json();
    const described = operation.responses[String(response.status)] ?? operation.responses.default;
    this.#holds(described, answer, `the answer ${response.status} of ${name}`);
    if (response.ok && operation.requestBody) {
      this.#holds(operation.requestBody, body ?? {}, `what ${name} was given and took`);
    }
    return { status: response.status, body: answer };
  }

  #holds(content: Content | undefined, value: unknown, what: string): void {
    const schema = content?.content?.["application/json"]?.schema;
    if (schema === undefined) throw new Error(`the document does not describe ${what}`);
    const validate = this.#compiled(schema);
    if (!validate(value)) {
      throw new Error(
        `${what} is not as the document says: ${this.#ajv.errorsText(validate.errors)} in ${JSON.stringify(value)}`,
      );
    }
  }

  #compiled(schema: Reference): ValidateFunction {
    return this.#ajv.compile(schema.$ref?.startsWith("#") ? { $ref: `api${schema.$ref}` } : schema);
  }
}
