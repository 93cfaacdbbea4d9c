// Runs a Node handler over the Lambda Runtime API, as `aws-lambda-ric` does, with nothing installed.
//
// Usage: node node.mjs MODULE.EXPORT, with the code in LAMBDA_TASK_ROOT.
//
// Beyond the vendor's client: where the platform sends `Anyport-Media: any`, a payload whose
// Content-Type is not JSON is handed over as a Buffer, and a Buffer is answered as it is.
// One difference: the vendor's client blocks the whole process while it waits for work. This one does
// not, so timers that outlive a call may fire between calls.

import fs from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import util from "node:util";

const API = "/2018-06-01/runtime/";
const ERROR_TYPE = "Lambda-Runtime-Function-Error-Type";
const ERROR_BODY = "Lambda-Runtime-Function-Error-Body";
const STREAMING = Symbol.for("aws.lambda.runtime.handler.streaming");
const HIGH_WATER_MARK = Symbol.for("aws.lambda.runtime.handler.streaming.highWaterMark");
const REQUEST_ID = Symbol.for("aws.lambda.runtime.requestId");

// Errors.

class RuntimeError extends Error {
  constructor(kind, message) {
    super(message);
    // Not enumerable, as logs show an error's enumerable fields.
    Object.defineProperty(this, "name", { value: `Runtime.${kind}` });
    // The stack starts with the name it was captured under.
    Error.captureStackTrace(this, RuntimeError);
  }
}

const clean = (text) => text?.replace(/\x7F/g, "%7F");

function report(error) {
  try {
    const like = error && error.name && error.message && error.stack && typeof error.stack === "string";
    if (util.types.isNativeError(error) || like) {
      return {
        errorType: clean(error.name),
        errorMessage: clean(error.message),
        trace: clean(error.stack).split("\n"),
      };
    }
    return { errorType: typeof error, errorMessage: error.toString(), trace: [] };
  } catch {
    return {
      errorType: "handled",
      errorMessage:
        "callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack",
    };
  }
}

const stringify = (value) => {
  try {
    return JSON.stringify(value === undefined ? null : value);
  } catch {
    throw new Error("Unable to stringify response body");
  }
};

// The console: each record on one line, with its time, the request id and the level.

const asJson = (process.env.AWS_LAMBDA_LOG_FORMAT ?? "").toUpperCase() === "JSON";

function errorFields(error) {
  return {
    errorType: error?.constructor?.name ?? "UnknownError",
    errorMessage: error.message,
    stackTrace: typeof error.stack === "string" ? error.stack.split("\n") : [],
  };
}

function jsonRecord(level, params) {
  const record = { timestamp: new Date().toISOString(), level, requestId: globalThis[REQUEST_ID] };
  if (params.length === 1) {
    record.message = params[0];
    const unfold = (_, value) => (value instanceof Error ? { ...errorFields(value), ...value } : value);
    try {
      return JSON.stringify(record, unfold);
    } catch {
      return JSON.stringify({ ...record, message: util.format(params[0]) });
    }
  }
  const error = params.find((param) => param instanceof Error);
  return JSON.stringify({ ...record, message: util.format(...params), ...(error ? errorFields(error) : {}) });
}

function textRecord(level, params) {
  return `${new Date().toISOString()}\t${globalThis[REQUEST_ID]}\t${level}\t${util.format(...params)}`;
}

function patchConsole() {
  const levels = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
  const lowest = Math.max(levels.indexOf((process.env.AWS_LAMBDA_LOG_LEVEL ?? "").toUpperCase()), 0);
  const writer = (level) => {
    if (levels.indexOf(level) < lowest) return () => {};
    const record = asJson ? jsonRecord : textRecord;
    return (...params) => process.stdout.write(`${record(level, params).replace(/\n/g, "\r")}\n`);
  };
  for (const level of levels) console[level.toLowerCase()] = writer(level);
  console.log = console.info;
}

function logError(title, error) {
  const shown = error instanceof Error ? error : new Error(error);
  if (asJson) return console.error(shown);
  let text;
  try {
    text = JSON.stringify(shown, (_, value) => {
      if (!(value instanceof Error)) return value;
      const plain = { errorType: value.name, errorMessage: value.message, code: value.code, ...value };
      if (typeof value.stack === "string") plain.stack = value.stack.split("\n");
      return plain;
    });
  } catch {
    text = JSON.stringify(report(shown));
  }
  console.error(title, `\t${text}`);
}

// The wire. A kept connection that is not in use does not keep the event loop alive, which is what
// waiting for an empty event loop builds on.

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1, noDelay: true });

function send(method, route, headers, body) {
  return new Promise((resolve, reject) => {
    const options = { host, port, agent, method, path: API + route, headers };
    const request = http.request(options, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("error", reject);
      response.on("end", () => {
        const whole = parts.length === 1 ? parts[0] : Buffer.concat(parts);
        resolve({ status: response.statusCode, headers: response.headers, body: whole });
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}

function post(route, body, headers) {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body);
  return send("POST", route, { "Content-Type": "application/json", "Content-Length": bytes.length, ...headers }, bytes);
}

const headerSafe = (text) => String(text ?? "").replace(/[^\x20-\x7e]/g, "?");

function postError(route, error) {
  const body = report(error);
  return post(route, stringify(body), { [ERROR_TYPE]: headerSafe(body.errorType) });
}

// What to do when a call is answered and the event loop has run empty.
let whenEmpty = () => {};
// What to do with an error that nobody caught: exits after telling the platform.
let uncaught = (error, code) => postError("init/error", error).finally(() => process.exit(code));

// Loading the handler.

function typeModule(folder) {
  for (let at = folder; !at.endsWith("/node_modules"); at = path.dirname(at)) {
    const file = path.join(at, "package.json");
    if (fs.existsSync(file)) {
      try {
        return JSON.parse(fs.readFileSync(file)).type === "module";
      } catch (error) {
        console.warn(`${file} cannot be read, it will be ignored for ES module detection purposes.`, error);
        return false;
      }
    }
    if (at === path.dirname(at)) return false;
  }
  return false;
}

async function loadModule(root, folder, name) {
  const file = path.resolve(root, folder, name);
  const require = createRequire(path.join(root, "/"));
  const isFile = (candidate) => fs.statSync(candidate, { throwIfNoEntry: false })?.isFile();
  const isModule = isFile(`${file}.js`) && typeModule(path.dirname(`${file}.js`));
  if (fs.existsSync(file)) return require(file);
  if (isFile(`${file}.js`)) return isModule ? import(pathToFileURL(`${file}.js`)) : require(`${file}.js`);
  if (isFile(`${file}.mjs`)) return import(pathToFileURL(`${file}.mjs`));
  if (isFile(`${file}.cjs`)) return require(`${file}.cjs`);
  return require(require.resolve(name, { paths: [root, folder] }));
}

function httpResponseStream(stream, prelude) {
  stream.setContentType("application/vnd.awslambda.http-integration-response");
  stream._onBeforeFirstWrite = (write) => {
    write(JSON.stringify(prelude));
    write(new Uint8Array(8));
  };
  return stream;
}

async function load(root, full) {
  if (full.includes("..")) {
    throw new RuntimeError(
      "MalformedHandlerName",
      `'${full}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`,
    );
  }
  const base = path.basename(full);
  const folder = full.substring(0, full.indexOf(base));
  const split = /^([^.]*)\.(.*)$/.exec(base);
  if (!split) throw new RuntimeError("MalformedHandlerName", "Bad handler");
  globalThis.awslambda = {
    streamifyResponse: (handler, options) => {
      handler[STREAMING] = "response";
      if (typeof options?.highWaterMark === "number") handler[HIGH_WATER_MARK] = Math.trunc(options.highWaterMark);
      return handler;
    },
    HttpResponseStream: { from: httpResponseStream },
  };
  let module;
  try {
    module = await loadModule(root, folder, split[1]);
  } catch (error) {
    if (error instanceof SyntaxError) throw new RuntimeError("UserCodeSyntaxError", String(error));
    if (error?.code === "MODULE_NOT_FOUND") throw new RuntimeError("ImportModuleError", String(error));
    throw error;
  }
  const handler = split[2].split(".").reduce((nested, key) => nested && nested[key], module);
  if (!handler) throw new RuntimeError("HandlerNotFound", `${full} is undefined or not exported`);
  if (typeof handler !== "function") throw new RuntimeError("HandlerNotFound", `${full} is not a function`);
  return handler;
}

// The context object.

function headerJson(text, name) {
  if (text === undefined) return undefined;
  try {
    // Header bytes arrive as Latin-1, the platform sends UTF-8.
    return JSON.parse(Buffer.from(text, "latin1").toString("utf8"));
  } catch (error) {
    throw new Error(`Cannot parse ${name} as json: ${error}`);
  }
}

function describe(context, headers) {
  const env = process.env;
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  const traceId = headers["lambda-runtime-trace-id"];
  if (traceId) env._X_AMZN_TRACE_ID = traceId;
  else delete env._X_AMZN_TRACE_ID;
  return Object.assign(context, {
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: headerJson(headers["lambda-runtime-client-context"], "ClientContext"),
    identity: headerJson(headers["lambda-runtime-cognito-identity"], "CognitoIdentity"),
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    awsRequestId: headers["lambda-runtime-aws-request-id"],
    tenantId: headers["lambda-runtime-aws-tenant-id"],
    getRemainingTimeInMillis: () => deadline - Date.now(),
  });
}

function emptyLoopSwitch(state) {
  return {
    get callbackWaitsForEmptyEventLoop() {
      return state.waits;
    },
    set callbackWaitsForEmptyEventLoop(value) {
      state.waits = value;
    },
  };
}

// Payloads.

function isJson(type) {
  const kind = (type ?? "").split(";")[0].trim().toLowerCase();
  return kind === "" || kind === "application/json" || kind.endsWith("+json");
}

function eventOf(call) {
  if (call.anyMedia && !isJson(call.headers["content-type"])) return call.body;
  return JSON.parse(call.body.toString("utf8"));
}

function answer(call, value) {
  if (call.anyMedia && value instanceof Uint8Array) {
    return post(call.route("response"), Buffer.from(value), { "Content-Type": "application/octet-stream" });
  }
  return post(call.route("response"), stringify(value));
}

// Calls.

// The handler is called as a method, which is how it shows in the stack traces of the vendor's client.
class Runtime {
  constructor(handler) {
    this.handler = handler;
  }
}

async function nextCall() {
  const { status, headers, body } = await send("GET", "invocation/next", {});
  // The platform has ended this instance.
  if (status === 410) process.exit(0);
  if (status !== 200) throw new Error(`the platform refused to give work: status ${status}`);
  const id = headers["lambda-runtime-aws-request-id"];
  globalThis[REQUEST_ID] = id;
  const route = (end) => `invocation/${encodeURIComponent(id)}/${end}`;
  return { headers, body, route, anyMedia: headers["anyport-media"] === "any" };
}

function fatal(error) {
  console.error(`Unexpected Top Level Error: ${error}`);
  process.exit(1);
}

function soon(run) {
  setImmediate(() => run().catch(fatal));
}

function onUncaught(call) {
  uncaught = (error, code) => postError(call.route("error"), error).finally(() => process.exit(code));
}

async function plainCall(runtime) {
  const call = await nextCall();
  const again = () => soon(() => plainCall(runtime));
  const state = { waits: true };
  let finished = false;
  let completed = false;
  // The first way of finishing counts; one that fails to write its answer leaves room for an error.
  const once = (finish) => (...params) => {
    if (finished) return;
    finish(...params);
    finished = true;
  };
  const failWith = (error) => {
    logError("Invoke Error", error);
    postError(call.route("error"), error).then(again, fatal);
  };
  const complete = (value) => {
    if (completed) {
      console.error("Invocation has already been reported as done. Cannot call complete more than once per invocation.");
      return;
    }
    const sent = answer(call, value);
    completed = true;
    sent.then(again, fatal);
  };
  const done = (error, value) => {
    whenEmpty = () => {};
    if (error !== undefined && error !== null) failWith(error);
    else complete(value);
  };
  const callback = once((error, value) => {
    if ((error !== undefined && error !== null) || !state.waits) return done(error, value);
    whenEmpty = () => {
      whenEmpty = () => {};
      try {
        complete(value);
      } catch (problem) {
        failWith(problem);
      }
    };
  });
  const context = Object.defineProperties(
    { succeed: once((value) => done(null, value)), fail: once((error) => done(error ?? "handled")), done: once(done) },
    Object.getOwnPropertyDescriptors(emptyLoopSwitch(state)),
  );
  onUncaught(call);
  // A handler that neither returns a promise nor calls back has answered with nothing.
  whenEmpty = () => {
    whenEmpty = () => {};
    finished = true;
    complete(null);
  };
  try {
    const result = runtime.handler(eventOf(call), describe(context, call.headers), callback);
    if (typeof result?.then === "function") result.then(context.succeed, context.fail).catch(context.fail);
  } catch (error) {
    callback(error);
  }
}

function openStream(call, highWaterMark) {
  let written = false;
  let settle;
  const answered = new Promise((resolve, reject) => (settle = { resolve, reject }));
  const stream = http.request(
    {
      host,
      port,
      agent,
      method: "POST",
      path: API + call.route("response"),
      highWaterMark,
      headers: {
        "Lambda-Runtime-Function-Response-Mode": "streaming",
        "Content-Type": "application/octet-stream",
        Trailer: [ERROR_TYPE, ERROR_BODY],
      },
    },
    (response) => response.resume().on("end", settle.resolve).on("error", settle.reject),
  );
  stream.on("error", settle.reject);
  answered.catch(() => {});
  const write = stream.write.bind(stream);
  const refuse = (message) => {
    throw new RuntimeError("InvalidStreamingOperation", message);
  };
  stream.setContentType = (type) => {
    if (written) refuse("Cannot set content-type, too late.");
    stream.setHeader("Content-Type", type);
  };
  stream.write = (chunk, ...rest) => {
    const raw = typeof chunk === "string" || chunk instanceof Uint8Array;
    if (!written) stream._onBeforeFirstWrite?.((part) => write(part));
    written = true;
    return write(raw ? chunk : JSON.stringify(chunk), ...rest);
  };
  const end = stream.end.bind(stream);
  stream.end = (chunk, ...rest) => {
    if (typeof chunk === "function") return end(chunk);
    if (chunk !== undefined && chunk !== null) stream.write(chunk, typeof rest[0] === "string" ? rest[0] : undefined);
    return end(rest.find((param) => typeof param === "function"));
  };
  const fail = (error) => {
    const body = report(error);
    stream.addTrailers({
      [ERROR_TYPE]: headerSafe(body.errorType),
      [ERROR_BODY]: Buffer.from(JSON.stringify(body)).toString("base64"),
    });
    end();
  };
  return { stream, answered, fail };
}

async function streamingCall(runtime) {
  const call = await nextCall();
  const again = () => soon(() => streamingCall(runtime));
  const state = { waits: true };
  const { stream, answered, fail } = openStream(call, runtime.handler[HIGH_WATER_MARK]);
  const goOn = () => {
    if (!state.waits) return again();
    whenEmpty = () => {
      whenEmpty = () => {};
      again();
    };
  };
  const failWith = (error) => {
    logError("Invoke Error", error);
    if (!stream.writableEnded) fail(error);
    answered.then(goOn, goOn);
  };
  onUncaught(call);
  whenEmpty = () => {};
  try {
    const context = Object.defineProperties({}, Object.getOwnPropertyDescriptors(emptyLoopSwitch(state)));
    const result = runtime.handler(eventOf(call), stream, describe(context, call.headers));
    if (typeof result?.then !== "function") return failWith("Streaming does not support non-async handlers.");
    if ((await result) !== undefined) console.warn("Streaming handlers ignore return values.");
    if (!stream.writableEnded) return failWith("Response stream is not finished.");
    await answered;
    goOn();
  } catch (error) {
    failWith(error);
  }
}

patchConsole();
process.on("beforeExit", () => whenEmpty());
process.on("uncaughtException", (error) => {
  logError("Uncaught Exception", error);
  uncaught(error, 129);
});
process.on("unhandledRejection", (reason, promise) => {
  const error = Object.assign(new RuntimeError("UnhandledPromiseRejection", reason), { reason, promise });
  logError("Unhandled Promise Rejection", error);
  uncaught(error, 128);
});

const handler = await load(process.env.LAMBDA_TASK_ROOT, process.argv[2]);
const streaming = handler[STREAMING];
if (streaming && streaming !== "response") {
  throw new RuntimeError("MalformedStreamingHandler", "Only response streaming is supported.");
}
const runtime = new Runtime(handler);
soon(() => (streaming ? streamingCall(runtime) : plainCall(runtime)));
