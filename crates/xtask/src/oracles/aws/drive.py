"""boto3 against the embedded AWS: a line of JSON for each part, and what was seen at the end.

The environment names the endpoint (ORACLE_ENDPOINT; ORACLE_LIMITED_ENDPOINT has strict rate limits), the admin's key pair as AWS
does, the account (ORACLE_ACCOUNT), the served operations of Lambda (ORACLE_SERVED), a Rust
function's executable (ORACLE_BOOTSTRAP) and AWS's Runtime Interface Emulator (ORACLE_RIE).
"""

import json
import os
import sys
import time
import traceback
import urllib.parse

import around
import beside
import judged
import life
import refusals
from stage import Judge, Stage, watch_events


def main():
    judge = Judge()
    watch_events(judge)
    st = Stage(judge)
    st.bootstrap = os.environ["ORACLE_BOOTSTRAP"]
    # `*.localhost` may not resolve here: the emulator takes its functions' URLs by path, too.
    st.reachable = lambda url: "{}/_anyport/url/{}/{}/".format(
        st.endpoint, st.region, urllib.parse.urlsplit(url).hostname.partition(".")[0])
    parts = [*judged.PARTS, *life.PARTS, *refusals.PARTS, *around.PARTS, *beside.PARTS, life.delete]
    wanted = sys.argv[1:]
    for part in parts:
        name = f"{part.__module__}.{part.__name__}"
        if wanted and not any(name.startswith(want) for want in wanted):
            continue
        began, before = time.monotonic(), len(judge.violations)
        outcome = {"part": part.__doc__, "found": [], "seen": ""}
        try:
            outcome["seen"] = part(st)
        except Exception as fault:
            place = traceback.extract_tb(fault.__traceback__)
            line = next((f.lineno for f in reversed(place) if f.name not in ("refused", "same") and f.filename.endswith(
                ("life.py", "refusals.py", "around.py", "beside.py", "judged.py"))), 0)
            outcome["found"].append(f"{name}, line {line}: {type(fault).__name__}: {fault}"[:6000])
        outcome["found"] += judge.violations[before:]
        outcome["seconds"] = round(time.monotonic() - began, 2)
        print(json.dumps(outcome), flush=True)
    coverage = {}
    for (service, operation), calls in sorted(judge.calls.items()):
        coverage.setdefault(service, {})[operation] = {
            "calls": calls, "results": judge.results[(service, operation)], "errors": sorted(judge.errors[(service, operation)])}
    print(json.dumps({"coverage": coverage}), flush=True)


main()
