// A fault-injecting proxy between Chromium and the server: it refuses, resets, swallows, delays, throttles, truncates
// and repeats. It knows HTTP and where a WebSocket begins, but not what frames mean, except that it tells polls that
// receive from those that send.

import http from "node:http";
import net from "node:net";
import type { Duplex } from "node:stream";
import { onTestFinished } from "vitest";
import { POLL_PATH } from "../../protocol/generated/protocol";
import { Shaper } from "./shaper";

/** What happens to a WebSocket upgrade. */
export type SocketRule =
  | "pass"
  /** Answered with 502, without the server. */
  | "refuse"
  /** The connection is reset. */
  | "reset"
  /** Never answered. */
  | "hang"
  /** It opens, and is reset when the client sends its first frame, which does not reach the server. */
  | "reset on open"
  /** It opens, and what the server sends is collected by the proxy and never passed on. */
  | "buffer"
  /** It opens, and is reset this long after the server's first frame. */
  | { readonly killAfterMs: number };

/** What happens to a poll or its response. */
export type PollRule =
  | "pass"
  /** Answered with this status and HTML, without the server. */
  | { readonly status: number }
  /** Answered with 502, without the server. */
  | "502"
  /** The server responds; half of the response arrives, then the connection breaks. */
  | "truncate"
  /** The server responds, and nothing arrives. */
  | "lose"
  /** The request reaches the server twice; the second response arrives. */
  | "twice"
  /** The client gets the response to its earlier request of this kind again; the server is not asked. */
  | "repeat";

export interface PollRequest {
  /** Whether it receives or sends. */
  readonly receiving: boolean;
  /** Counts the requests of its kind from 1. */
  readonly number: number;
  /** The batch. */
  readonly body: string;
}

/** Ends the head of an HTTP response. */
const END_OF_HEAD = "\r\n\r\n";

export class FaultProxy {
  /** The rule for new WebSockets. */
  websocket: SocketRule = "pass";
  /** The rule for each poll. */
  poll: (request: PollRequest) => PollRule = () => "pass";
  /** The delay of each chunk in each direction, in ms. Chunks keep their order. */
  delayMs = 0;
  /** The throughput of each connection and direction, in bytes per second; 0 is unlimited. */
  bytesPerSecond = 0;
  /** How often each fault was applied. */
  readonly faults = new Map<string, number>();
  /** The number of WebSocket upgrades and polls. */
  readonly asked = { websocket: 0, receiving: 0, sending: 0 };

  readonly #server = http.createServer((request, response) => void this.#request(request, response));
  readonly #upstream: { host: string; port: number };
  readonly #sockets = new Set<Duplex>();
  /** Connections in the black hole: they carry nothing more, and no end is told. */
  readonly #dark = new WeakSet<Duplex>();
  readonly #last = new Map<boolean, Buffer>();
  #hole = false;

  private constructor(upstream: number) {
    this.#upstream = { host: "127.0.0.1", port: upstream };
    this.#server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
    this.#server.on("connection", (socket: net.Socket) => {
      this.#keep(socket);
      if (this.#hole) this.#dark.add(socket);
    });
    // Polls are held longer than Node's defaults allow.
    this.#server.requestTimeout = 0;
    this.#server.keepAliveTimeout = 60_000;
  }

  /** Starts a proxy in front of the server at this port; it ends with the test. */
  static async start(upstream: number): Promise<FaultProxy> {
    const proxy = new FaultProxy(upstream);
    await new Promise<void>((done) => proxy.#server.listen(0, "127.0.0.1", done));
    onTestFinished(() => proxy.end());
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as net.AddressInfo).port}`;
  }

  /** The number of open client connections. */
  get open(): number {
    return this.#sockets.size;
  }

  /** Resets every connection at once. New ones are let through. */
  reset(): void {
    for (const socket of [...this.#sockets]) cut(socket);
    this.#count("reset");
  }

  /**
   * A black hole: every open connection stays open and carries nothing more. `alsoNew`: new connections as well, until
   * `lift`; otherwise they pass.
   */
  swallow({ alsoNew = false } = {}): void {
    for (const socket of this.#sockets) this.#dark.add(socket);
    this.#hole = alsoNew;
    this.#count("black hole");
  }

  /** New connections pass again. Those in the black hole stay there. */
  lift(): void {
    this.#hole = false;
  }

  async end(): Promise<void> {
    for (const socket of [...this.#sockets]) cut(socket);
    await new Promise((done) => this.#server.close(done));
  }

  #count(fault: string): void {
    this.faults.set(fault, (this.faults.get(fault) ?? 0) + 1);
  }

  #keep(socket: Duplex): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", () => socket.destroy());
  }

  #upgrade(request: http.IncomingMessage, client: Duplex, head: Buffer): void {
    this.asked.websocket++;
    const rule = this.websocket;
    if (this.#dark.has(client)) return;
    if (rule === "refuse" || rule === "reset" || rule === "hang") {
      this.#count(rule);
      if (rule === "hang") this.#dark.add(client);
      else if (rule === "reset") cut(client);
      else client.end("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
      return;
    }
    const server = net.connect(this.#upstream);
    const lines = [`${request.method} ${request.url} HTTP/1.1`];
    for (let at = 0; at < request.rawHeaders.length; at += 2) {
      lines.push(`${request.rawHeaders[at]}: ${request.rawHeaders[at + 1]}`);
    }
    server.write(`${lines.join("\r\n")}\r\n\r\n`);
    if (head.length > 0) server.write(head);
    if (rule === "reset on open") {
      client.once("data", () => {
        this.#count(rule);
        server.destroy();
        cut(client);
      });
    }
    this.#join(client, server, rule === "buffer");
    if (rule === "buffer") this.#count(rule);
    if (typeof rule === "object") this.#killLater(client, server, rule.killAfterMs);
  }

  /** The timer starts with the server's first frame, so that the client receives it even on a slow machine. */
  #killLater(client: Duplex, server: net.Socket, delayMs: number): void {
    let head = "";
    let timer: NodeJS.Timeout | undefined;
    server.on("data", (data: Buffer) => {
      if (timer) return;
      head += data.toString("latin1");
      const end = head.indexOf(END_OF_HEAD);
      if (end < 0 || head.length === end + END_OF_HEAD.length) return;
      timer = setTimeout(() => {
        this.#count("kill");
        cut(client);
      }, delayMs);
    });
    client.on("close", () => clearTimeout(timer));
  }

  /** Forwards both directions, with the configured delay and throughput; of a buffered answer only the head. */
  #join(client: Duplex, server: net.Socket, buffered = false): void {
    server.on("error", () => server.destroy());
    const dark = () => this.#dark.has(client);
    const carry = (from: Duplex, to: Duplex) => {
      const shaper = new Shaper(this);
      let passed = false;
      from.on("data", (data: Buffer) => {
        // The head of the answer arrives alone: the server sends nothing before it is asked.
        if (buffered && from === server && passed) return;
        passed = true;
        if (!dark()) shaper.pass(data.length, () => !dark() && to.write(data));
      });
      // The other side's end is not forwarded into the black hole either.
      from.on("close", () => shaper.pass(0, () => !dark() && to.destroy()));
      from.on("end", () => shaper.pass(0, () => !dark() && to.end()));
    };
    carry(client, server);
    carry(server, client);
    client.on("close", () => server.destroy());
  }

  async #request(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const { socket } = request;
    const body = await read(request).catch(() => undefined);
    if (body === undefined || this.#dark.has(socket)) return;
    let rule: PollRule = "pass";
    let receiving = false;
    if (request.url === POLL_PATH && request.method === "POST") {
      receiving = body.includes('"type":"poll"');
      const number = receiving ? ++this.asked.receiving : ++this.asked.sending;
      rule = this.poll({ receiving, number, body: body.toString() });
    }
    if (typeof rule === "object") {
      this.#count(String(rule.status));
      response.writeHead(rule.status, { "content-type": "text/html" }).end("<html>Not here.</html>");
      return;
    }
    if (rule !== "pass") this.#count(rule);
    if (rule === "502") {
      response.writeHead(502).end("Bad Gateway");
      return;
    }
    const repeated = this.#last.get(receiving);
    if (rule === "repeat" && repeated) {
      response.writeHead(200, { "content-type": "application/json" }).end(repeated);
      return;
    }
    const shaper = new Shaper(this);
    await new Promise<void>((done) => shaper.pass(body.length, done));
    if (rule === "twice") await this.#ask(request, body, response).catch(() => undefined);
    let answer: Answer;
    try {
      answer = await this.#ask(request, body, response);
    } catch {
      // The server is unreachable: reset the connection.
      if (!this.#dark.has(socket)) cut(socket);
      return;
    }
    await new Promise<void>((done) => shaper.pass(answer.body.length, done));
    if (this.#dark.has(socket)) return;
    if (rule === "lose") return cut(socket);
    if (rule === "truncate") {
      response.writeHead(answer.status, answer.headers);
      response.write(answer.body.subarray(0, Math.floor(answer.body.length / 2)), () => cut(socket));
      return;
    }
    if (request.url === POLL_PATH) this.#last.set(receiving, answer.body);
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }

  /** Forwards a request to the server, and aborts it when the client does. */
  #ask(request: http.IncomingMessage, body: Buffer, response: http.ServerResponse): Promise<Answer> {
    return new Promise((done, failed) => {
      const headers = { ...request.headers, "content-length": String(body.length) };
      const { method, url: path } = request;
      const asked = http.request({ ...this.#upstream, method, path, headers, agent: false }, (answer) => {
        read(answer).then((content) => {
          const headers = { ...answer.headers, "content-length": String(content.length) };
          delete (headers as http.IncomingHttpHeaders)["transfer-encoding"];
          delete (headers as http.IncomingHttpHeaders).connection;
          done({ status: answer.statusCode ?? 502, headers, body: content });
        }, failed);
      });
      asked.on("error", failed);
      response.on("close", () => {
        // In the black hole, the server does not learn of it.
        if (!response.writableFinished && !this.#dark.has(request.socket)) asked.destroy();
      });
      asked.end(body);
    });
  }
}

interface Answer {
  readonly status: number;
  readonly headers: http.OutgoingHttpHeaders;
  readonly body: Buffer;
}

function cut(socket: Duplex): void {
  if (socket instanceof net.Socket) socket.resetAndDestroy();
  else socket.destroy();
}

async function read(stream: http.IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
