"""Holds every raw answer against the service models inside botocore.

botocore itself is lenient: it skips what it does not know. This looks at the bytes before botocore parses them: status, headers and body of
results and errors; types, required members, enums, patterns, ranges, forms of timestamps; and members that the model does not have.
"""

import base64
import binascii
import json
import re
import urllib.parse
import xml.etree.ElementTree as xml
from collections import defaultdict
from datetime import datetime

import regex
from botocore.eventstream import EventStream

# Errors that every operation has: the "Common errors" of each service's API reference.
COMMON = {
    "lambda": {
        "AccessDeniedException": 403, "ExpiredTokenException": 403, "IncompleteSignatureException": 403, "InvalidSignatureException": 403,
        "MissingAuthenticationTokenException": 403, "SerializationException": 400, "UnrecognizedClientException": 403,
        "UnknownOperationException": 404, "ValidationException": 400, "TooManyRequestsException": 429, "ServiceException": 500,
        "RequestEntityTooLargeException": 413, "RequestTooLargeException": 413,
    },
    "logs": {
        "AccessDeniedException": 400, "ExpiredTokenException": 400, "IncompleteSignature": 400, "InvalidSignatureException": 400,
        "MissingAuthenticationTokenException": 400, "SerializationException": 400, "UnrecognizedClientException": 400,
        "ValidationException": 400, "UnknownOperationException": 400,
    },
    "sqs": {
        "AccessDenied": 400, "AccessDeniedException": 400, "InvalidClientTokenId": 403, "SignatureDoesNotMatch": 403,
        "UnrecognizedClientException": 400, "InvalidSignatureException": 400, "ValidationException": 400, "MissingParameter": 400,
        "InvalidParameterValue": 400, "InvalidAction": 400, "ExpiredTokenException": 400,
    },
    "sts": {
        "AccessDenied": 403, "ExpiredToken": 403, "InvalidClientTokenId": 403, "SignatureDoesNotMatch": 403, "ValidationError": 400,
        "InvalidAction": 400, "MissingAuthenticationToken": 403, "IncompleteSignature": 403,
    },
    "iam": {
        "AccessDenied": 403, "ExpiredToken": 403, "InvalidClientTokenId": 403, "SignatureDoesNotMatch": 403, "ValidationError": 400,
        "InvalidAction": 400,
    },
    # S3 models almost none of its errors; these are in its API reference's list.
    "s3": {
        "AccessDenied": 403, "BadDigest": 400, "BucketAlreadyOwnedByYou": 409, "BucketNotEmpty": 409, "EntityTooSmall": 400,
        "InvalidAccessKeyId": 403, "InvalidArgument": 400, "InvalidBucketName": 400, "InvalidDigest": 400, "InvalidPart": 400,
        "InvalidPartOrder": 400, "InvalidRange": 416, "InvalidRequest": 400, "MalformedXML": 400, "NoSuchBucket": 404,
        "NoSuchBucketPolicy": 404, "NoSuchCORSConfiguration": 404, "NoSuchKey": 404, "NoSuchLifecycleConfiguration": 404,
        "NoSuchTagSet": 404, "NoSuchUpload": 404, "NoSuchVersion": 404, "NotFound": 404, "PreconditionFailed": 412,
        "RequestTimeTooSkewed": 403, "SignatureDoesNotMatch": 403, "XAmzContentSHA256Mismatch": 400, "404": 404, "403": 403,
        "400": 400, "412": 412, "304": 304, "NotModified": 304, "MalformedPolicy": 400, "InvalidTag": 400,
        "KeyTooLongError": 400, "NoSuchPublicAccessBlockConfiguration": 404, "OwnershipControlsNotFoundError": 404,
        "NoSuchWebsiteConfiguration": 404, "ReplicationConfigurationNotFoundError": 404,
        "ServerSideEncryptionConfigurationNotFoundError": 404, "ObjectLockConfigurationNotFoundError": 404,
    },
}
XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"


class Judge:
    """What was seen so far, by service and operation."""

    def __init__(self):
        self.calls = defaultdict(int)
        self.results = defaultdict(int)
        self.errors = defaultdict(set)
        self.violations = []

    def answered(self, operation_model, response_dict, **_):
        """One answer, before botocore parses it."""
        operation = operation_model
        where = (operation.service_model.endpoint_prefix, operation.name)
        self.calls[where] += 1
        look = Look(self, operation)
        try:
            if response_dict["status_code"] >= 300:
                look.error(response_dict)
            else:
                self.results[where] += 1
                look.result(response_dict)
        except Exception as fault:  # What the model's walk trips over is a fault of the answer.
            self.violation(where, f"cannot be read by the model: {type(fault).__name__}: {fault}")

    def violation(self, where, what):
        text = f"{where[0]} {where[1]}: {what}"
        if text not in self.violations:
            self.violations.append(text)


class Look:
    """One answer of one operation."""

    def __init__(self, judge, operation):
        self.judge = judge
        self.operation = operation
        metadata = operation.service_model.metadata
        self.protocol = metadata["protocol"]
        self.service = operation.service_model.endpoint_prefix
        self.where = (self.service, operation.name)

    def bad(self, what):
        self.judge.violation(self.where, what)

    # Results

    def result(self, answer):
        shape = self.operation.output_shape
        named = [] if shape is None else [m for m in shape.members.values() if m.serialization.get("location") == "statusCode"]
        expected = self.operation.http.get("responseCode", 200)
        partial = self.service == "s3" and answer["status_code"] == 206
        if not named and answer["status_code"] != expected and not partial:
            self.bad(f"status {answer['status_code']}, the model says {expected}")
        if self.operation.has_event_stream_output:
            if answer["headers"].get("content-type") != "application/vnd.amazon.eventstream":
                self.bad(f"an event stream of type {answer['headers'].get('content-type')}")
            self.headers(shape, answer)
            return
        body = answer["body"] if isinstance(answer["body"], bytes) else None
        if shape is None:
            if body not in (b"", None) and self.protocol.startswith("rest"):
                self.bad(f"a body of {len(body)} bytes, the model has no output")
            return
        if self.protocol in ("rest-json", "rest-xml"):
            self.headers(shape, answer)
            payload = shape.serialization.get("payload")
            inside = {k: m for k, m in shape.members.items() if "location" not in m.serialization}
            if payload is not None:
                member = shape.members[payload]
                if member.type_name == "structure" and body and self.protocol == "rest-xml":
                    self.xml(member, xml.fromstring(body), payload)
                return
            if not inside:
                if body not in (b"", b"{}", None):
                    self.bad(f"a body {body[:80]!r}, the model has none")
                return
            if self.protocol == "rest-json":
                self.json_members(shape, inside, self.parsed(body), "")
            elif body:
                root = xml.fromstring(body)
                self.xml_members(shape, inside, root, "")
        elif self.protocol == "query":
            root = xml.fromstring(body)
            name = self.operation.name
            if local(root) != name + "Response":
                self.bad(f"the root is {local(root)}")
            result = [child for child in root if local(child) == shape.serialization.get("resultWrapper", name + "Result")]
            if len(result) != 1:
                self.bad("no result in the body")
            else:
                self.xml_members(shape, shape.members, result[0], "")
            if not any(local(child) == "ResponseMetadata" for child in root):
                self.bad("no ResponseMetadata")
        else:
            self.json_members(shape, shape.members, self.parsed(body or b"{}"), "")

    def parsed(self, body):
        value = json.loads(body)
        if not isinstance(value, dict):
            raise ValueError("the body is no JSON object")
        return value

    def headers(self, shape, answer):
        headers = {k.lower(): v for k, v in answer["headers"].items()}
        for name, member in shape.members.items():
            location = member.serialization.get("location")
            key = member.serialization.get("locationName", name).lower()
            if location == "header":
                if key in headers:
                    self.text(member, headers[key], name, header=True)
                elif name in shape.required_members:
                    self.bad(f"header {key} is missing")

    # Errors

    def error(self, answer):
        status, headers, body = answer["status_code"], answer["headers"], answer["body"]
        body = body if isinstance(body, bytes) else body.read() if hasattr(body, "read") else b""
        if self.protocol in ("rest-json", "json"):
            code, content = self.json_error(headers, body)
        else:
            code, content = self.xml_error(status, body)
        if not headers.get("x-amzn-requestid") and not headers.get("x-amz-request-id"):
            self.bad(f"{code} has no request id")
        self.judge.errors[self.where].add(code)
        shape = self.shape_of(code)
        if shape is None:
            common = COMMON[self.service]
            if code not in common:
                self.bad(f"error {code} (status {status}) is neither the operation's nor a common one: {body[:200]!r}")
            elif status not in (common[code], 413 if code == "RequestEntityTooLargeException" else 0):
                self.bad(f"error {code} with status {status}, not {common[code]}")
            return
        expected = shape.metadata.get("error", {}).get("httpStatusCode", 400)
        # SQS's model keeps the query protocol's statuses; in JSON every fault of the sender is 400.
        if status != expected and not (self.service == "sqs" and status == 400):
            self.bad(f"error {code} with status {status}, the model says {expected}")
        if isinstance(content, dict):
            content = {k: v for k, v in content.items() if k != "__type"}
            inside = {k: m for k, m in shape.members.items() if "location" not in m.serialization}
            if self.service in ("sqs", "logs") and "message" in content and not any(k.lower() == "message" for k in inside):
                content.pop("message")
            self.json_members(shape, inside, content, code)
            self.headers(shape, answer)
            if not any(k.lower() == "message" and v for k, v in content.items()) and any(k.lower() == "message" for k in inside):
                self.bad(f"error {code} has no message")

    def shape_of(self, code):
        for shape in self.operation.error_shapes:
            names = (shape.name, shape.metadata.get("error", {}).get("code"))
            if code in names:
                return shape
        return None

    def json_error(self, headers, body):
        content = json.loads(body) if body else {}
        code = headers.get("x-amzn-errortype") or content.get("__type", "")
        if self.protocol == "json" and "__type" not in content:
            self.bad("an error without __type")
        if self.protocol == "rest-json" and "x-amzn-errortype" not in headers:
            self.bad("an error without X-Amzn-ErrorType")
        query = headers.get("x-amzn-query-error")
        if self.service == "sqs" and not query:
            self.bad("an error without x-amzn-query-error")
        code = code.split(":")[0].rpartition("#")[2]
        return code, content

    def xml_error(self, status, body):
        if not body:
            if self.operation.http.get("method") != "HEAD" and status != 304:
                self.bad(f"status {status} without a body")
            return str(status), None
        root = xml.fromstring(body)
        found = root if local(root) == "Error" else next((e for e in root if local(e) == "Error"), None)
        if found is None:
            raise ValueError(f"no Error in {body[:200]!r}")
        fields = {local(e): e.text for e in found}
        if not fields.get("Message"):
            self.bad(f"error {fields.get('Code')} has no message")
        if self.protocol == "query" and fields.get("Type") not in ("Sender", "Receiver"):
            self.bad(f"error {fields.get('Code')} has the type {fields.get('Type')}")
        return fields.get("Code", ""), None

    # JSON

    def json_members(self, shape, members, value, path):
        by_name = {m.serialization.get("name", k): (k, m) for k, m in members.items()}
        for key, item in value.items():
            if key not in by_name:
                self.bad(f"{path}.{key} is not in {shape.name}")
            elif item is not None:
                self.json(by_name[key][1], item, f"{path}.{key}")
        for name in shape.required_members:
            if name in members and value.get(members[name].serialization.get("name", name)) is None:
                self.bad(f"{path}.{name} is required and missing")

    def json(self, shape, value, path):
        kind = shape.type_name
        good = {
            "structure": dict, "map": dict, "list": list, "string": str, "blob": str, "boolean": bool,
            "integer": int, "long": int, "float": (int, float), "double": (int, float), "timestamp": (int, float, str),
        }[kind]
        if not isinstance(value, good) or (isinstance(value, bool) and kind != "boolean"):
            self.bad(f"{path} is {value!r:.60}, the model says {kind}")
        elif kind == "structure":
            if not shape.metadata.get("document"):
                self.json_members(shape, shape.members, value, path)
        elif kind == "map":
            for key, item in value.items():
                self.text(shape.key, key, f"{path} key")
                if item is not None:
                    self.json(shape.value, item, f"{path}.{key}")
        elif kind == "list":
            self.range(shape, len(value), path)
            for item in value:
                self.json(shape.member, item, f"{path}[]")
        elif kind == "timestamp":
            form = shape.serialization.get("timestampFormat", "unixTimestamp")
            if (form == "unixTimestamp") == isinstance(value, str):
                self.bad(f"{path} is {value!r}, the model says {form}")
            elif isinstance(value, str):
                self.time(form, value, path)
        elif kind == "string":
            self.text(shape, value, path)
        elif kind == "blob":
            self.blob(value, path)
        elif kind != "boolean":
            self.range(shape, value, path)

    # XML

    def xml(self, shape, element, path):
        kind = shape.type_name
        if kind == "structure":
            self.xml_members(shape, shape.members, element, path)
        elif kind == "list":
            name = shape.member.serialization.get("name", "member")
            for child in element:
                if local(child) != name:
                    self.bad(f"{path} holds {local(child)}, the model says {name}")
                self.xml(shape.member, child, f"{path}[]")
        elif kind == "map":
            for entry in element:
                for child in entry:
                    if local(child) == shape.key.serialization.get("name", "key"):
                        self.text(shape.key, child.text or "", f"{path} key")
                    else:
                        self.xml(shape.value, child, f"{path} value")
        else:
            if len(element):
                self.bad(f"{path} has children, the model says {kind}")
            self.text(shape, element.text or "", path)

    def xml_members(self, shape, members, element, path):
        seen = set()
        by_name = {}
        for key, member in members.items():
            name = member.serialization.get("name", key)
            if member.type_name == "list" and member.serialization.get("flattened"):
                name = member.member.serialization.get("name", name) if "name" not in member.serialization else name
            by_name[name] = (key, member)
        for child in element:
            name = local(child)
            if name not in by_name:
                self.bad(f"{path}.{name} is not in {shape.name}")
                continue
            key, member = by_name[name]
            flat = member.serialization.get("flattened")
            if key in seen and not flat:
                self.bad(f"{path}.{name} is there twice")
            seen.add(key)
            if flat and member.type_name == "list":
                self.xml(member.member, child, f"{path}.{name}")
            else:
                self.xml(member, child, f"{path}.{name}")
        for key, member in members.items():
            if member.serialization.get("xmlAttribute"):
                attribute = member.serialization.get("name", key)
                if attribute.partition(":")[2] == "type" and XSI_TYPE in element.attrib:
                    seen.add(key)
        for name in shape.required_members:
            if name in members and name not in seen:
                self.bad(f"{path}.{name} is required and missing")

    # Scalars

    def text(self, shape, value, path, header=False):
        kind = shape.type_name
        if kind == "boolean":
            if value.lower() not in ("true", "false"):
                self.bad(f"{path} is {value!r}, the model says boolean")
        elif kind in ("integer", "long", "float", "double"):
            try:
                self.range(shape, int(value) if kind in ("integer", "long") else float(value), path)
            except ValueError:
                self.bad(f"{path} is {value!r}, the model says {kind}")
        elif kind == "timestamp":
            self.time(shape.serialization.get("timestampFormat", "rfc822" if header else "iso8601"), value, path)
        elif kind == "blob":
            self.blob(value, path)
        elif kind == "string":
            allowed = shape.metadata.get("enum")
            if allowed and value not in allowed:
                self.bad(f"{path} is {value!r}, not in the enum {shape.name}")
            self.range(shape, len(value), path)
            pattern = shape.metadata.get("pattern")
            # IAM's documents are URL-encoded when they are read, but the pattern is of the text.
            plain = urllib.parse.unquote(value) if self.service == "iam" and value.startswith("%7B") else value
            # Java's classes of characters, spelled for this engine.
            if pattern and not regex.fullmatch(pattern.replace("\\u0020-", " -"), plain):
                self.bad(f"{path} is {value!r:.120}, which {pattern} does not match")

    def range(self, shape, size, path):
        low, high = shape.metadata.get("min"), shape.metadata.get("max")
        if (low is not None and size < low) or (high is not None and size > high):
            self.bad(f"{path} has size {size}, the model says {low} to {high}")

    def time(self, form, value, path):
        forms = {
            "iso8601": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z",
            "rfc822": r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT",
            "unixTimestamp": r"\d+(\.\d+)?",
        }
        if not re.fullmatch(forms[form], value):
            self.bad(f"{path} is {value!r}, the model says {form}")
        elif form == "iso8601":
            datetime.fromisoformat(value.replace("Z", "+00:00"))

    def blob(self, value, path):
        try:
            base64.b64decode(value, validate=True)
        except binascii.Error:
            self.bad(f"{path} is no base64")


def local(element):
    return element.tag.rpartition("}")[2]


def watch_events(judge):
    """Judges the messages of event streams, too."""
    parse = EventStream._parse_event

    def judged(self, event):
        shape, where = self._output_shape, ("lambda", "InvokeWithResponseStream")
        kind = event.headers.get(":event-type")
        if event.headers.get(":message-type") != "event":
            judge.violation(where, f"a message of type {event.headers.get(':message-type')}")
        elif kind not in shape.members:
            judge.violation(where, f"an event {kind}")
        else:
            member = shape.members[kind]
            raw = [m for m in member.members.values() if m.serialization.get("eventpayload")]
            wanted = "application/octet-stream" if raw else "application/json"
            if event.headers.get(":content-type") != wanted:
                judge.violation(where, f"{kind} of type {event.headers.get(':content-type')}, not {wanted}")
            for key in [] if raw else json.loads(event.payload or b"{}"):
                if key not in member.members:
                    judge.violation(where, f"{kind}.{key} is not in {member.name}")
        return parse(self, event)

    EventStream._parse_event = judged
