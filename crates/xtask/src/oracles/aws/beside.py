"""One bootstrap under AWS's Runtime Interface Emulator and under the embedded AWS: what it is told, and what its caller is."""

import json
import os
import re
import socket
import subprocess
import tempfile

from stage import archive, eventually, fetch, same

PROBE = '''#!/usr/bin/env python3
import json, os, sys, time, urllib.request
api = "http://%s/2018-06-01/runtime/" % os.environ["AWS_LAMBDA_RUNTIME_API"]
def post(path, value, kind=None):
    headers = {"Lambda-Runtime-Function-Error-Type": kind} if kind else {}
    urllib.request.urlopen(urllib.request.Request(api + path, json.dumps(value).encode(), headers)).read()
while True:
    with urllib.request.urlopen(api + "invocation/next") as call:
        told, event = {k.lower(): v for k, v in call.headers.items()}, json.loads(call.read())
    place = "invocation/%s/" % told["lambda-runtime-aws-request-id"]
    do = event.get("do")
    if do == "exit":
        sys.exit(3)
    if do == "sleep":
        time.sleep(5)
    if do == "error":
        post(place + "error", {"errorType": "Probe.Asked", "errorMessage": "as asked", "stackTrace": ["a", "b"]}, "Probe.Asked")
    elif do == "bare":
        post(place + "error", {"unusual": 1}, "Probe.Bare")
    else:
        left = float(told.get("lambda-runtime-deadline-ms", 0)) / 1000 - time.time()
        post(place + "response", {"headers": told, "env": dict(os.environ), "left": left, "event": event, "cwd": os.getcwd()})
'''
# What differs, and why.
HEADERS = {
    "date": "either server's own",
    "content-length": "either server's own",
    "transfer-encoding": "either server's own",
    "lambda-runtime-trace-id": "the other emulator passes a trace on, and makes none; the real one and ours make one",
    "lambda-runtime-invoked-function-arn": "both have it; the other's is always `function:test_function` or what its environment says",
}
VARIABLES = {
    "AWS_ENDPOINT_URL": "ours: so that functions reach the embedded AWS",
    "AWS_XRAY_CONTEXT_MISSING": "ours, as AWS documents it",
    "AWS_XRAY_DAEMON_ADDRESS": "ours, as AWS documents it", "_AWS_XRAY_DAEMON_ADDRESS": "ours, as AWS documents it",
    "_AWS_XRAY_DAEMON_PORT": "ours, as AWS documents it",
    "AWS_ACCESS_KEY_ID": "ours: the execution role's; the other passes on what it is started with",
    "AWS_SECRET_ACCESS_KEY": "ours: the execution role's", "AWS_SESSION_TOKEN": "ours: the execution role's",
    "AWS_REGION": "the other passes on what it is started with", "AWS_DEFAULT_REGION": "the other passes on what it is started with",
    "AWS_LAMBDA_LOG_GROUP_NAME": "both have it; names differ", "AWS_LAMBDA_LOG_STREAM_NAME": "both have it; names differ",
    "_HANDLER": "the other has none without an argument", "HOME": "not AWS's", "PWD": "not AWS's", "SHLVL": "not AWS's", "_": "not AWS's",
    "OLDPWD": "not AWS's", "LC_CTYPE": "Python's", "TMPDIR": "ours: this machine's `/tmp` is not the function's own",
    "ANYPORT_FUNCTION": "ours: the engine's, for this project's runtime", "ANYPORT_INSTANCE": "as ANYPORT_FUNCTION",
    "ANYPORT_MEMORY_MB": "as ANYPORT_FUNCTION", "ANYPORT_VERSION": "as ANYPORT_FUNCTION",
    "AWS_LAMBDA_FUNCTION_TIMEOUT": "the other's own setting, which it hands on",
    "AWS_LAMBDA_METADATA_API": "the other's endpoint for an instance's metadata, which we do not have",
    "AWS_LAMBDA_METADATA_TOKEN": "goes with AWS_LAMBDA_METADATA_API",
    "AWS_LAMBDA_INITIALIZATION_TYPE": "ours, as AWS documents it; the other expects it of the image around it",
    "LAMBDA_RUNTIME_DIR": "as AWS_LAMBDA_INITIALIZATION_TYPE", "LANG": "as AWS_LAMBDA_INITIALIZATION_TYPE",
    "LD_LIBRARY_PATH": "as AWS_LAMBDA_INITIALIZATION_TYPE", "TZ": "as AWS_LAMBDA_INITIALIZATION_TYPE",
}
# What a chooser of Python versions leaves behind when it is started as `python3`.
CHOOSERS = ("PYENV_", "_PYENV_")
# Replies that differ, and why.
REPLIES = {"sleep": "the other answers a bare text; the real one an error object, and so do we"}


def rie(st):
    """AWS's Runtime Interface Emulator beside ours"""
    with tempfile.TemporaryDirectory(prefix="anyport-beside-") as folder:
        path = os.path.join(folder, "bootstrap")
        with open(path, "w") as file:
            file.write(PROBE)
        os.chmod(path, 0o755)
        st.create("oracle-beside", archive({"bootstrap": (PROBE, 0o755)}), Runtime="provided.al2023", Handler="bootstrap", Timeout=2)
        front, back = free_port(), free_port()
        kept = {k: v for k, v in os.environ.items() if k in ("PATH",)}
        process = subprocess.Popen(
            [os.environ["ORACLE_RIE"], "--runtime-interface-emulator-address", f"127.0.0.1:{front}",
             "--runtime-api-address", f"127.0.0.1:{back}", path],
            env=kept | {"AWS_LAMBDA_FUNCTION_NAME": "oracle-beside", "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
                        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128", "AWS_LAMBDA_FUNCTION_TIMEOUT": "2", "LAMBDA_TASK_ROOT": folder},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            eventually(lambda: listens(front), "the other emulator listens")
            return compare(st, f"http://127.0.0.1:{front}/2015-03-31/functions/function/invocations")
        finally:
            process.terminate()
            process.wait(10)
            st.lambda_.delete_function(FunctionName="oracle-beside")


def compare(st, theirs_at):
    def theirs(event):
        return fetch(theirs_at, "POST", json.dumps(event).encode())[2].decode()

    def ours(event):
        answer = st.lambda_.invoke(FunctionName="oracle-beside", Payload=json.dumps(event))
        return answer["Payload"].read().decode()

    told, tells = json.loads(theirs({"a": 1})), json.loads(ours({"a": 1}))
    same(tells["event"], told["event"], "the event")
    wrong = [f"header {name}: only {'theirs' if name in told['headers'] else 'ours'}"
             for name in sorted(set(told["headers"]) ^ set(tells["headers"])) if name not in HEADERS]
    wrong += [f"variable {name}: only {'theirs' if name in told['env'] else 'ours'}"
              for name in sorted(set(told["env"]) ^ set(tells["env"])) if name not in VARIABLES and not name.startswith(CHOOSERS)]
    for name in ("content-type",):
        if told["headers"].get(name) != tells["headers"].get(name):
            wrong.append(f"header {name}: {told['headers'].get(name)} there, {tells['headers'].get(name)} here")
    for name in ("AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"):
        if told["env"].get(name) != tells["env"].get(name):
            wrong.append(f"variable {name}: {told['env'].get(name)} there, {tells['env'].get(name)} here")
    for side, name in ((told, "theirs"), (tells, "ours")):
        if not 0 < side["left"] <= 2.1:
            wrong.append(f"{name}: {side['left']} s until the deadline of 2 s")
    for event in ({"do": "error"}, {"do": "bare"}, {"do": "exit"}, {"do": "sleep"}, {"a": 2}):
        there, here = shape(theirs(event)), shape(ours(event))
        if event.get("do") in REPLIES:
            if "Task timed out after 2.00 seconds" not in str(there) or "Task timed out after 2.00 seconds" not in str(here):
                wrong.append(f"{event}: {there} there, {here} here")
        elif there != here:
            wrong.append(f"{event}: {there} there, {here} here")
    assert not wrong, "\n".join(wrong)
    return f"{len(HEADERS)} headers, {len(VARIABLES)} variables, {len(REPLIES)} replies may differ, with reasons; all else is alike"


def shape(text):
    """A reply without what is made anew for each."""
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", text)
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value["event"] if isinstance(value, dict) and "event" in value else value


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def listens(port):
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) == 0


PARTS = [rie]
