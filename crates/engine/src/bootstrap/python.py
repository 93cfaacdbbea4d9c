"""Runs a Python handler over the Lambda Runtime API, as `awslambdaric` does, with nothing installed.

Usage: python3 -u python.py MODULE.FUNCTION, with the code in LAMBDA_TASK_ROOT.

Beyond the vendor's client: where the platform sends `Anyport-Media: any`, a payload whose
Content-Type is not JSON is handed over as `bytes`, and `bytes` are answered as they are.
"""

import decimal
import importlib
import json
import logging
import os
import socket
import sys
import time
import traceback

_API = "/2018-06-01/runtime/"
_ERROR_TYPE = "Lambda-Runtime-Function-Error-Type"
_request_id = None


class Fault(Exception):
    """An error of the bundle or of its data, with the type that the vendor's client gives it."""

    def __init__(self, kind, message, trace=None):
        super().__init__(message)
        self.kind = "Runtime." + kind
        self.message = message
        self.trace = trace


# The wire: HTTP/1.1 on one kept connection. The standard client would double the start time.


class Platform:
    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self._address = (host, int(port))
        self._host = address.encode("ascii")
        self._socket = None
        self._stream = None

    def _connect(self):
        self._socket = socket.create_connection(self._address)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._stream = self._socket.makefile("rb")

    def call(self, method, path, headers=(), body=None):
        """One exchange; returns (status, headers with lower-case names, body)."""
        if self._socket is None:
            self._connect()
        lines = [("%s %s%s HTTP/1.1" % (method, _API, path)).encode("ascii"), b"Host: " + self._host]
        for name, value in headers:
            value = str(value).replace("\r", " ").replace("\n", " ")
            lines.append(name.encode("ascii") + b": " + value.encode("utf-8"))
        if body is not None:
            lines.append(b"Content-Length: %d" % len(body))
        head = b"\r\n".join(lines) + b"\r\n\r\n"
        if body is None or len(body) > 65536:
            self._socket.sendall(head)
            if body is not None:
                self._socket.sendall(body)
        else:
            self._socket.sendall(head + body)
        return self._read()

    def _read(self):
        status_line = self._stream.readline()
        if not status_line:
            raise ConnectionError("the platform closed the connection")
        status = int(status_line.split(None, 2)[1])
        headers = {}
        while True:
            line = self._stream.readline().rstrip(b"\r\n")
            if not line:
                break
            name, _, value = line.partition(b":")
            headers[name.strip().lower().decode("latin-1")] = value.strip().decode("utf-8", "replace")
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = b"".join(self._chunks())
        else:
            body = self._stream.read(int(headers.get("content-length", 0)))
        return status, headers, body

    def _chunks(self):
        while True:
            size = int(self._stream.readline().split(b";")[0], 16)
            if size:
                yield self._stream.read(size)
            self._stream.readline()
            if not size:
                return


# JSON, as the vendor's client writes it: with simplejson's views on tuples, bytes and decimals.


class _Plain:
    """Makes a value of what the standard encoder can write."""

    def __init__(self):
        self.decimals = []
        self.token = None

    def of(self, value):
        if isinstance(value, (str, int, float)) or value is None:
            return value
        if isinstance(value, dict):
            return {self.key(key): self.of(item) for key, item in value.items()}
        if isinstance(value, tuple) and hasattr(value, "_asdict"):
            return self.of(value._asdict())
        if isinstance(value, (list, tuple)):
            return [self.of(item) for item in value]
        if isinstance(value, bytes):
            return value.decode("utf-8")
        if isinstance(value, decimal.Decimal):
            if value.is_nan():
                return float("nan")
            if self.token is None:
                self.token = "decimal-" + os.urandom(16).hex() + "-"
            self.decimals.append(str(value))
            return self.token + str(len(self.decimals) - 1)
        return value

    @staticmethod
    def key(key):
        return key.decode("utf-8") if isinstance(key, bytes) else key


def to_json(value):
    plain = _Plain()
    ascii_only = sys.version_info < (3, 12)
    text = json.dumps(plain.of(value), ensure_ascii=ascii_only)
    for number, digits in enumerate(plain.decimals):
        text = text.replace('"%s%d"' % (plain.token, number), digits, 1)
    if not ascii_only:
        text = text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return text


# The context object.


class CognitoIdentity:
    __slots__ = ["cognito_identity_id", "cognito_identity_pool_id"]


class Client:
    __slots__ = ["installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name"]


class ClientContext:
    __slots__ = ["custom", "env", "client"]


for _class in (CognitoIdentity, Client, ClientContext):
    _class.__repr__ = lambda self: "%s([%s])" % (
        type(self).__name__,
        ",".join("%s=%s" % (name, getattr(self, name, None)) for name in self.__slots__),
    )


def _fill(kind, values):
    if values is None:
        return None
    filled = kind()
    for name in kind.__slots__:
        setattr(filled, name, values.get(name))
    return filled


class LambdaContext:
    def __init__(self, headers):
        environ = os.environ
        self.aws_request_id = headers.get("lambda-runtime-aws-request-id")
        self.log_group_name = environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.invoked_function_arn = headers.get("lambda-runtime-invoked-function-arn")
        self.tenant_id = headers.get("lambda-runtime-aws-tenant-id")
        client = _json_header(headers, "lambda-runtime-client-context", "Client Context")
        w3c = client.pop("w3c", None) if isinstance(client, dict) else None
        names = ("traceparent", "tracestate", "baggage")
        w3c = w3c if isinstance(w3c, dict) else {}
        self._w3c = {name: w3c[name] for name in names if isinstance(w3c.get(name), str)}
        self.client_context = _fill(ClientContext, client)
        if self.client_context is not None:
            self.client_context.client = _fill(Client, self.client_context.client)
        self.identity = _fill(CognitoIdentity, {})
        cognito = _json_header(headers, "lambda-runtime-cognito-identity", "Cognito Identity")
        if cognito is not None:
            self.identity.cognito_identity_id = cognito.get("cognitoIdentityId")
            self.identity.cognito_identity_pool_id = cognito.get("cognitoIdentityPoolId")
        self._deadline_ms = int(headers.get("lambda-runtime-deadline-ms", 0))

    def get_remaining_time_in_millis(self):
        return max(self._deadline_ms - int(time.time() * 1000), 0)

    def w3c(self):
        return dict(self._w3c)

    def log(self, message):
        sys.stdout.write(str(message))

    def __repr__(self):
        shown = (
            "aws_request_id", "log_group_name", "log_stream_name", "function_name", "memory_limit_in_mb",
            "function_version", "invoked_function_arn", "client_context", "identity", "tenant_id",
        )
        return "LambdaContext([%s])" % ",".join("%s=%s" % (name, getattr(self, name)) for name in shown)


def _json_header(headers, name, title):
    text = headers.get(name)
    if not text:
        return None
    try:
        return json.loads(text)
    except Exception as error:
        raise Fault("LambdaContextUnmarshalError", "Unable to parse %s JSON: %s" % (title, error))


# Errors and logs.


def _report(message, kind, trace, request_id=""):
    return {
        "errorMessage": message or "",
        "errorType": kind or "",
        "requestId": request_id,
        "stackTrace": trace or [],
    }


def _describe(error, request_id=""):
    """The report of an exception; the frames of this file in front of the user's are left out."""
    if isinstance(error, Fault):
        return _report(error.message, error.kind, error.trace, request_id)
    frames = [(f.filename, f.lineno, f.name, f.line) for f in traceback.extract_tb(error.__traceback__)]
    first = next((at for at, frame in enumerate(frames) if frame[0] != __file__), len(frames) - 1)
    return _report(str(error), type(error).__name__, traceback.format_list(frames[first:]), request_id)


def _indent(line):
    text = line.lstrip(" ")
    return "\u00a0" * (len(line) - len(text)) + text


def _log_error(report):
    if _log_json():
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        sys.stdout.write(to_json({"timestamp": stamp, "level": "ERROR", **report}) + "\n")
        return
    title = "[ERROR]"
    if report["errorType"]:
        title += " " + report["errorType"]
    if report["errorMessage"]:
        title += (": " if report["errorType"] else " ") + report["errorMessage"]
    lines = [title, "Traceback (most recent call last):"]
    for entry in report["stackTrace"]:
        lines += [_indent(line) for line in entry.splitlines()] or [""]
    # One record, one line: a carriage return keeps its parts apart.
    sys.stdout.write("\r".join(lines) + "\n")


def _log_json():
    return os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"


class _JsonFormatter(logging.Formatter):
    def format(self, record):
        entry = {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            "requestId": record.aws_request_id,
        }
        if record.exc_info:
            kind, value, trace = record.exc_info
            entry["errorType"] = kind.__name__
            entry["errorMessage"] = str(value)
            entry["stackTrace"] = traceback.format_tb(trace)
        return to_json({name: value for name, value in entry.items() if value}) + "\n"


class _Handler(logging.Handler):
    def emit(self, record):
        record.aws_request_id = _request_id or ""
        sys.stdout.write(self.format(record))


def _set_up_output():
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    logging.Formatter.converter = time.gmtime
    handler = _Handler()
    if _log_json():
        handler.setFormatter(_JsonFormatter())
    else:
        handler.setFormatter(
            logging.Formatter(
                "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n",
                "%Y-%m-%dT%H:%M:%S",
            )
        )
    root = logging.getLogger()
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper()
    level = {"TRACE": "DEBUG", "WARN": "WARNING", "FATAL": "CRITICAL"}.get(level, level)
    if level in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"):
        root.setLevel(level)
    root.addHandler(handler)


# Finding and running the handler.


def _load(name):
    module_name, dot, function_name = name.rpartition(".")
    if not dot:
        # The vendor's words are those of a failed unpacking.
        words = "not enough values to unpack (expected 2, got 1)"
        raise Fault("MalformedHandlerName", "Bad handler '%s': %s" % (name, words))
    if module_name.split(".")[0] in sys.builtin_module_names:
        raise Fault("BuiltInModuleConflict", "Cannot use built-in module %s as a handler module" % module_name)
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise Fault("ImportModuleError", "Unable to import module '%s': %s" % (module_name, error))
    except SyntaxError as error:
        trace = ['  File "%s" Line %s\n    %s' % (error.filename, error.lineno, error.text)]
        raise Fault("UserCodeSyntaxError", "Syntax error in module '%s': %s" % (module_name, error), trace)
    try:
        return getattr(module, function_name)
    except AttributeError:
        raise Fault("HandlerNotFound", "Handler '%s' missing on module '%s'" % (function_name, module_name))


def _is_json(content_type):
    kind = content_type.split(";")[0].strip().lower()
    return not kind or kind == "application/json" or kind.endswith("+json")


def _event(headers, body, any_media):
    content_type = headers.get("content-type", "")
    if any_media and not _is_json(content_type):
        return body
    try:
        return json.loads(body)
    except Exception as error:
        raise Fault("UnmarshalError", "Unable to unmarshal input: %s" % error)


def _answer(value, any_media):
    if isinstance(value, bytes):
        return value, "application/octet-stream" if any_media else "application/unknown"
    try:
        return to_json(value).encode("utf-8"), "application/json"
    except Exception as error:
        raise Fault("MarshalError", "Unable to marshal response: %s" % error)


def _run_once(handler, headers, body):
    any_media = headers.get("anyport-media") == "any"
    event_context = LambdaContext(headers)
    return _answer(handler(_event(headers, body, any_media), event_context), any_media)


def _expect(status, act):
    if status not in (200, 202, 413):
        raise RuntimeError("the platform refused to %s: status %d" % (act, status))


def main():
    global _request_id
    platform = Platform(os.environ["AWS_LAMBDA_RUNTIME_API"])
    _set_up_output()
    # The code's own directory takes the place of this file's.
    sys.path[0] = os.environ["LAMBDA_TASK_ROOT"]
    try:
        handler = _load(sys.argv[1])
    except Exception as error:
        report = _describe(error)
        _log_error(report)
        body = to_json(report).encode("utf-8")
        platform.call("POST", "init/error", [(_ERROR_TYPE, report["errorType"])], body)
        sys.exit(1)
    while True:
        status, headers, body = platform.call("GET", "invocation/next")
        if status != 200:
            # The platform has ended this instance.
            sys.exit(0 if status == 410 else 1)
        _request_id = headers["lambda-runtime-aws-request-id"]
        trace_id = headers.get("lambda-runtime-trace-id")
        if trace_id is None:
            os.environ.pop("_X_AMZN_TRACE_ID", None)
        else:
            os.environ["_X_AMZN_TRACE_ID"] = trace_id
        call = "invocation/" + _request_id
        try:
            answer, content_type = _run_once(handler, headers, body)
        except Exception as error:
            report = _describe(error, _request_id)
            _log_error(report)
            headers = [("Content-Type", "application/json"), (_ERROR_TYPE, "Unhandled")]
            status, _, _ = platform.call("POST", call + "/error", headers, to_json(report).encode("utf-8"))
            _expect(status, "take an error")
        else:
            headers = [("Content-Type", content_type)]
            status, _, _ = platform.call("POST", call + "/response", headers, answer)
            _expect(status, "take an answer")


if __name__ == "__main__":
    main()
