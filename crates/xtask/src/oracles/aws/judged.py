"""The judge on trial: answers that it must not let pass."""

import json

from judge import Judge
from stage import same

GOOD = {"FunctionName": "f", "State": "Active", "MemorySize": 128, "Timeout": 3, "LastModified": "2026-01-01T00:00:00.000+0000"}


def trial(st):
    """the judge itself"""
    lam, s3, iam = (client.meta.service_model for client in (st.lambda_, st.s3, st.iam))
    named = {"content-type": "application/json", "x-amzn-requestid": "1", "x-amzn-errortype": "ResourceNotFoundException"}
    gone = {"Type": "User", "Message": "gone"}
    get = lam.operation_model("GetFunctionConfiguration")
    listing = "<ListBucketResult><Name>b</Name><KeyCount>{}</KeyCount>{}</ListBucketResult>"
    user = ("<GetUserResponse><GetUserResult><User><Path>/</Path><UserName>u</UserName><UserId>{}</UserId>"
            "<Arn>arn:aws:iam::000000000000:user/u</Arn><CreateDate>{}</CreateDate></User></GetUserResult><ResponseMetadata/></GetUserResponse>")
    fine = [
        (get, 200, GOOD, {}), (get, 404, gone, named), (s3.operation_model("ListObjectsV2"), 200, listing.format(1, ""), {}),
        (iam.operation_model("GetUser"), 200, user.format("AIDAEXAMPLEEXAMPLE12", "2026-01-01T00:00:00Z"), {}),
    ]
    bad = [
        ("an unknown member", get, 200, GOOD | {"Colour": "red"}, {}), ("another type", get, 200, GOOD | {"MemorySize": "128"}, {}),
        ("no value of the enum", get, 200, GOOD | {"State": "Happy"}, {}), ("out of the range", get, 200, GOOD | {"Timeout": 0}, {}),
        ("not of the pattern", get, 200, GOOD | {"FunctionName": "a b"}, {}), ("another status", get, 201, GOOD, {}),
        ("no JSON", get, 200, "<no/>", {}), ("another status of an error", get, 400, gone, named),
        ("a member of another case", get, 404, {"Type": "User", "message": "gone"}, named),
        ("an error without a message", get, 404, {"Type": "User"}, named),
        ("an error without its header", get, 404, gone, {"x-amzn-requestid": "1"}),
        ("an error without a request id", get, 404, gone, {"x-amzn-errortype": "ResourceNotFoundException"}),
        ("another operation's error", get, 400, gone, named | {"x-amzn-errortype": "PolicyLengthExceededException"}),
        ("an unknown element", s3.operation_model("ListObjectsV2"), 200, listing.format(1, "<Colour/>"), {}),
        ("no number", s3.operation_model("ListObjectsV2"), 200, listing.format("one", ""), {}),
        ("no time", iam.operation_model("GetUser"), 200, user.format("AIDAEXAMPLEEXAMPLE12", "yesterday"), {}),
        ("too short", iam.operation_model("GetUser"), 200, user.format("AIDA", "2026-01-01T00:00:00Z"), {}),
    ]
    for operation, *answer in fine:
        same(violations(operation, *answer), [], f"a good {operation.name}")
    for what, operation, *answer in bad:
        assert violations(operation, *answer), f"{what} was let pass"
    return f"{len(bad)} bad answers found, {len(fine)} good ones let pass"


def violations(operation, status, body, headers):
    judge = Judge()
    raw = body if isinstance(body, str) else json.dumps(body)
    judge.answered(operation, {"status_code": status, "headers": headers, "body": raw.encode()})
    return judge.violations


PARTS = [trial]
