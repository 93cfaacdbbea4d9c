"""Clients under judgement, and the small tools of the story."""

import io
import json
import os
import sys
import time
import urllib.error
import urllib.request
import zipfile

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from judge import Judge, watch_events

HANDLER = '''
import json, os, sys, time

def handler(event, context):
    event = event if isinstance(event, dict) else {}
    if event.get("fail"):
        raise ValueError("as was wished")
    if event.get("sleep"):
        time.sleep(event["sleep"])
    if event.get("big"):
        return "x" * event["big"]
    print("a line for the log")
    return {"version": "@VERSION@", "event": event, "alias": context.invoked_function_arn.split(":")[-1],
            "unit": os.environ.get("UNIT"), "request": context.aws_request_id}
'''


class Stage:
    """One endpoint, and what was found out there."""

    def __init__(self, judge=None, endpoint=None):
        self.endpoint = endpoint or os.environ["ORACLE_ENDPOINT"]
        self.region = "eu-west-1"
        self.key, self.secret = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
        self.account = os.environ["ORACLE_ACCOUNT"]
        self.judge = judge or Judge()
        self.runtime = f"python3.{sys.version_info.minor}"
        self.lambda_, self.s3, self.sqs, self.sts, self.iam, self.logs = (
            self.client(name) for name in ("lambda", "s3", "sqs", "sts", "iam", "logs"))
        # Sends what botocore would refuse by itself.
        self.blunt = self.client("lambda", validate=False)

    def client(self, service, key=None, secret=None, token=None, validate=True, region=None):
        session = boto3.Session(key or self.key, secret or self.secret, token, region or self.region)
        client = session.client(service, endpoint_url=self.endpoint, config=Config(
            retries={"max_attempts": 0}, parameter_validation=validate, s3={"addressing_style": "path"}, read_timeout=60,
            # For presigned URLs, it takes its oldest signature where an endpoint is given.
            signature_version="s3v4" if service == "s3" else None))
        # Each client has its own emitter by now.
        client.meta.events.register_first("before-parse", self.judge.answered)
        return client

    def role(self, name, service="lambda.amazonaws.com"):
        trust = {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]}
        return self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]

    def create(self, name, code=None, **more):
        """Creates a Python function as soon as its role can be assumed, and waits for it."""
        settings = dict(FunctionName=name, Role=self.execution_role, Runtime=self.runtime, Handler="app.handler",
                        Code={"ZipFile": code or python("one")}, Timeout=5) | more
        made = patiently(lambda: self.lambda_.create_function(**settings), "cannot be assumed")
        self.lambda_.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.2, "MaxAttempts": 100})
        return made

    def updated(self, name):
        self.lambda_.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.2, "MaxAttempts": 100})


def patiently(attempt, excuse, seconds=20):
    """Tries again while it is refused with this excuse."""
    until = time.monotonic() + seconds
    while True:
        try:
            return attempt()
        except ClientError as error:
            if excuse not in error.response["Error"]["Message"] or time.monotonic() > until:
                raise
        time.sleep(0.2)


def eventually(look, what, seconds=20):
    """The first answer that is something."""
    until = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > until:
            raise AssertionError(f"not seen in {seconds} s: {what}")
        time.sleep(0.1)


def refused(code, call, status=None, says=""):
    """Expects one error; returns it."""
    try:
        answer = call()
    except ClientError as error:
        found = error.response["Error"]
        assert found["Code"] == code, f"refused with {found['Code']} ({found.get('Message')}), not with {code}"
        assert says in (found.get("Message") or ""), f"{code} says {found.get('Message')!r}, not {says!r}"
        got = error.response["ResponseMetadata"]["HTTPStatusCode"]
        assert status in (None, got), f"{code} has status {got}, not {status}"
        return error.response
    raise AssertionError(f"not refused with {code}: {str(answer)[:300]}")


def same(found, expected, what):
    assert found == expected, f"{what}: found {found!r}, expected {expected!r}"


def archive(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, (content, mode) in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            packed.writestr(info, content)
    return out.getvalue()


def python(version):
    return archive({"app.py": (HANDLER.replace("@VERSION@", version), 0o644)})


def fetch(url, method="GET", body=None, headers=()):
    """Plain HTTP: status, headers, body."""
    request = urllib.request.Request(url, method=method, data=body, headers=dict(headers))
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


__all__ = ["Stage", "Judge", "watch_events", "patiently", "eventually", "refused", "same", "archive", "python", "fetch"]
