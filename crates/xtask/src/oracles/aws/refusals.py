"""What Lambda refuses: everything of the model's errors that can be provoked, by a boto3 that checks nothing by itself."""

import base64
import datetime
import json
import os

import botocore.auth
from botocore import xform_name

from stage import Stage, archive, patiently, python, refused, same

NAME = "oracle-refused"
# Values for required members, by their names.
SAMPLES = {
    "FunctionName": "oracle-none", "Name": "none", "Alias": "none", "Qualifier": "1", "FunctionVersion": "1", "StatementId": "none",
    "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com", "LayerName": "oracle-none", "VersionNumber": 1, "TagKeys": ["a"],
    "Tags": {"a": "b"}, "UUID": "00000000-0000-4000-8000-000000000000", "AuthType": "NONE", "ReservedConcurrentExecutions": 1,
    "ProvisionedConcurrentExecutions": 1, "RecursiveLoop": "Allow", "UpdateRuntimeOn": "Auto", "InvokeArgs": b"{}",
    "AllowedPublishers": {"SigningProfileVersionArns": ["arn:aws:signer:eu-west-1:000000000000:/signing-profiles/x/abcdefghij"]},
    "Code": {"ZipFile": b"PK"}, "Runtime": "provided.al2023", "Handler": "bootstrap",
}


def served(st, client=None):
    """Each served operation of Lambda with an input that the model lets through, for things that are not there."""
    names = json.loads(os.environ["ORACLE_SERVED"])
    model = st.lambda_.meta.service_model
    arn = f"arn:aws:lambda:{st.region}:{st.account}"
    more = {"Resource": f"{arn}:function:oracle-none", "Role": f"arn:aws:iam::{st.account}:role/oracle-none",
            "CodeSigningConfigArn": f"{arn}:code-signing-config:csc-0123456789abcdef0"}
    for name in names:
        needed = model.operation_model(name).input_shape.required_members
        values = {key: (SAMPLES | more)[key] for key in needed}
        if name == "CreateFunction":
            values |= {"Runtime": "provided.al2023", "Handler": "bootstrap"}
        if name.endswith("FunctionEventInvokeConfig") and name.startswith(("Put", "Update")):
            values["MaximumRetryAttempts"] = 1
        if name == "UpdateFunctionCode":
            values["ZipFile"] = python("x")
        yield name, (lambda n=name, v=values: getattr(client or st.lambda_, xform_name(n))(**v))


def absent(st):
    """nothing there: every operation"""
    codes = {"GetProvisionedConcurrencyConfig": "ProvisionedConcurrencyConfigNotFoundException",
             "PutFunctionCodeSigningConfig": ("CodeSigningConfigNotFoundException", "ResourceNotFoundException")}
    fine = {"CreateCodeSigningConfig", "GetAccountSettings", "DeleteProvisionedConcurrencyConfig"}
    count, wrong = 0, []
    for name, call in served(st):
        if name.startswith("List") and name not in ("ListTags",) or name in fine or name == "CreateFunction":
            continue
        expect_one(name, ("ResourceNotFoundException", *flat(codes.get(name, ()))), call, wrong)
        count += 1
    assert not wrong, "\n".join(wrong)
    arn = f"arn:aws:lambda:{st.region}:{st.account}:code-signing-config:csc-0123456789abcdef0"
    refused("CodeSigningConfigNotFoundException", lambda: st.lambda_.put_function_code_signing_config(
        FunctionName=NAME, CodeSigningConfigArn=arn), 404)
    for call in ("list_versions_by_function", "list_aliases"):
        refused("ResourceNotFoundException", lambda: getattr(st.lambda_, call)(FunctionName="oracle-none"), 404)
    return f"{count} operations, each with ResourceNotFoundException or its own"


def flat(codes):
    return (codes,) if isinstance(codes, str) else codes


def expect_one(name, codes, call, wrong):
    """Expects one of these errors, else says so in `wrong`."""
    try:
        call()
    except Exception as error:
        if getattr(error, "response", {}).get("Error", {}).get("Code") not in codes:
            wrong.append(f"{name}: {str(error)[:300]}, not {codes}")
        return
    wrong.append(f"{name} was not refused")


def denied(st):
    """no permission, wrong credentials: every operation"""
    st.iam.create_user(UserName="oracle-nobody")
    key = st.iam.create_access_key(UserName="oracle-nobody")["AccessKey"]
    nobody = st.client("lambda", key["AccessKeyId"], key["SecretAccessKey"])
    stranger = st.client("lambda", "AKIAORACLEORACLEORAC", "x" * 40)
    forger = st.client("lambda", st.key, "x" * 40)
    count, wrong = 0, []
    for name, call in served(st, nobody):
        expect_one(name, ("AccessDeniedException",), call, wrong)
        count += 1
    for name, call in served(st, stranger):
        expect_one(name, ("UnrecognizedClientException",), call, wrong)
    for name, call in served(st, forger):
        expect_one(name, ("InvalidSignatureException",), call, wrong)
    assert not wrong, "\n".join(wrong)
    found = refused("AccessDeniedException", lambda: nobody.get_function(FunctionName=NAME), 403, "lambda:GetFunction")
    message = found["Error"]["Message"]
    same(message, f"User: arn:aws:iam::{st.account}:user/oracle-nobody is not authorized to perform: lambda:GetFunction on resource: "
         f"arn:aws:lambda:{st.region}:{st.account}:function:{NAME} because no identity-based policy allows the lambda:GetFunction action",
         "denial")
    refused("UnrecognizedClientException", lambda: st.client("lambda", st.key, st.secret, "no-token").list_functions(), 403)
    return f"{count} operations, each denied, with an unknown key and with a wrong secret"


def signatures(st):
    """skew, tampering, missing signatures"""
    client = st.client("lambda")
    real = botocore.auth.get_current_datetime
    for minutes in (-20, 20):
        botocore.auth.get_current_datetime = lambda *a, **k: real(*a, **k) + datetime.timedelta(minutes=minutes)
        try:
            refused("InvalidSignatureException", lambda: client.list_functions(), 403, "Signature")
        finally:
            botocore.auth.get_current_datetime = real

    def tampered(change):
        other = st.client("lambda")

        def before(request, **_):
            change(request)

        other.meta.events.register("before-send", before)
        return other

    def drop(name):
        def change(request):
            del request.headers[name]
        return change

    def put(name, value):
        def change(request):
            if name in request.headers:
                del request.headers[name]
            request.headers[name] = value
        return change

    def query(request):
        request.url += "?MaxItems=3"

    refused("MissingAuthenticationTokenException", lambda: tampered(drop("Authorization")).list_functions(), 403)
    refused("InvalidSignatureException", lambda: tampered(query).list_functions(), 403)
    refused("InvalidSignatureException", lambda: tampered(put("X-Amz-Date", b"20200101T000000Z")).list_functions(), 403)
    refused("IncompleteSignatureException", lambda: tampered(put("Authorization", b"AWS4-HMAC-SHA256 Credential=x")).list_functions(), 403)

    def body(request):
        request.body = b'{"Tags":{"a":"other"}}'
        put("Content-Length", b"22")(request)

    arn = f"arn:aws:lambda:{st.region}:{st.account}:function:{NAME}"
    refused("InvalidSignatureException", lambda: tampered(body).tag_resource(Resource=arn, Tags={"a": "value"}), 403)
    return "20 minutes off, no signature, changed query, date, body, half a header"


def values(st):
    """names, sizes, enums, ranges"""
    st.create(NAME)
    lam, role = st.blunt, st.execution_role
    base = dict(FunctionName="oracle-x", Role=role, Runtime=st.runtime, Handler="app.handler", Code={"ZipFile": python("x")})
    invalid, validation = "InvalidParameterValueException", "ValidationException"
    cases = [
        (validation, {"FunctionName": "no spaces"}), (validation, {"FunctionName": "x" * 141}),
        (validation, {"FunctionName": "x" * 65}), (validation, {"FunctionName": ""}), (validation, {"Role": "nobody"}),
        (validation, {"Timeout": 0}), (validation, {"MemorySize": 64}), (validation, {"Handler": "no spaces"}),
        (validation, {"Handler": "x" * 129}), (validation, {"Description": "x" * 257}), (validation, {"EphemeralStorage": {"Size": 511}}),
        (validation, {"EphemeralStorage": {"Size": 10241}}), (validation, {"PackageType": "Tar"}),
        (validation, {"Architectures": ["vax"]}), (validation, {"TracingConfig": {"Mode": "Loud"}}),
        (validation, {"Environment": {"Variables": {"1": "x"}}}), (validation, {"Layers": ["none"]}),
        (validation, {"KMSKeyArn": "none"}), (validation, {"DeadLetterConfig": {"TargetArn": "none"}}),
        (validation, {"LoggingConfig": {"LogFormat": "Xml"}}), (validation, {"SnapStart": {"ApplyOn": "Always"}}),
        ((validation, invalid), {"Timeout": 901}), ((validation, invalid), {"MemorySize": 10241}),
        ((validation, invalid), {"MemorySize": 32769}), ((validation, invalid), {"Runtime": "cobol"}),
        (invalid, {"Runtime": "nodejs12.x"}), (invalid, {"Runtime": None}), (invalid, {"Handler": None}),
        (invalid, {"Environment": {"Variables": {"AA": "x" * 4097}}}), (invalid, {"Environment": {"Variables": {"AWS_REGION": "x"}}}),
        (invalid, {"Role": f"arn:aws:iam::{st.account}:role/oracle-none"}), (invalid, {"Code": {"ZipFile": b"no zip"}}),
        (invalid, {"Code": {}}), (invalid, {"Code": {"S3Bucket": "oracle-code"}}),
        (invalid, {"Code": {"S3Bucket": "oracle-none-bucket", "S3Key": "x"}}), (invalid, {"Code": {"S3Bucket": "oracle-code", "S3Key": "none"}}),
        (invalid, {"Code": {"ZipFile": python("x"), "S3Bucket": "oracle-code", "S3Key": "three.zip"}}),
        (invalid, {"Tags": {f"k{n}": "v" for n in range(51)}}), (invalid, {"Tags": {"aws:x": "v"}}),
        (invalid, {"CodeSigningConfigArn": None, "VpcConfig": {"SubnetIds": ["subnet-1234"]}}),
        ("CodeSigningConfigNotFoundException", {
            "CodeSigningConfigArn": f"arn:aws:lambda:{st.region}:{st.account}:code-signing-config:csc-0123456789abcdef0"}),
    ]
    wrong = []
    for codes, change in cases:
        wanted = {k: v for k, v in (base | change).items() if v is not None}
        expect_one(f"CreateFunction with {str(change)[:90]}", flat(codes), lambda: lam.create_function(**wanted), wrong)
    assert not wrong, "\n".join(wrong)
    refused("ResourceConflictException", lambda: lam.create_function(**(base | {"FunctionName": NAME})), 409, "Function already exist")
    found = refused(validation, lambda: lam.create_function(**(base | {"Timeout": 0, "MemorySize": 1})), 400, "2 validation errors detected")
    assert "at 'timeout' failed to satisfy constraint: Member must have value greater than or equal to 1" in found["Error"]["Message"]
    # An input that is not even of the right type.
    refused("SerializationException", lambda: lam.create_function(**(base | {"Timeout": "soon"})), 400)
    return f"{len(cases) + 3} refused creations"


def requests(st):
    """the other operations' own checks"""
    lam, invalid, validation = st.blunt, "InvalidParameterValueException", "ValidationException"
    arn = f"arn:aws:lambda:{st.region}:{st.account}:function:{NAME}"
    f = {"FunctionName": NAME}
    patiently(lambda: lam.publish_version(**f), "none")
    either = (invalid, validation)
    cases = [
        (validation, "update_function_configuration", f | {"Timeout": 0}), (invalid, "update_function_configuration", f | {"Runtime": "nodejs12.x"}),
        (invalid, "update_function_configuration", f | {"Role": f"arn:aws:iam::{st.account}:role/oracle-none"}),
        (invalid, "update_function_code", f), (invalid, "update_function_code", f | {"ZipFile": b"no zip"}),
        (invalid, "update_function_code", f | {"S3Bucket": "oracle-code", "S3Key": "none"}),
        (validation, "update_function_code", f | {"Architectures": ["vax"]}),
        (validation, "publish_version", f | {"Description": "x" * 257}), (validation, "create_alias", f | {"Name": "1", "FunctionVersion": "1"}),
        (validation, "create_alias", f | {"Name": "a b", "FunctionVersion": "1"}), (validation, "create_alias", f | {"Name": "a", "FunctionVersion": "x"}),
        ("ResourceNotFoundException", "create_alias", f | {"Name": "a", "FunctionVersion": "99"}),
        (either, "create_alias", f | {"Name": "a", "FunctionVersion": "1", "RoutingConfig": {"AdditionalVersionWeights": {"1": 0.5}}}),
        (either, "create_alias", f | {"Name": "a", "FunctionVersion": "1", "RoutingConfig": {"AdditionalVersionWeights": {"1": 1.5}}}),
        (either, "create_alias", f | {"Name": "a", "FunctionVersion": "1", "RoutingConfig": {"AdditionalVersionWeights": {"2": 0.1, "3": 0.1}}}),
        (invalid, "create_alias", f | {"Name": "a", "FunctionVersion": "$LATEST", "RoutingConfig": {"AdditionalVersionWeights": {"1": 0.5}}}),
        (validation, "list_functions", {"MaxItems": 0}), (validation, "list_functions", {"MaxItems": 10001}),
        (invalid, "list_functions", {"Marker": "none"}), (validation, "list_functions", {"FunctionVersion": "SOME"}),
        (validation, "list_aliases", f | {"MaxItems": 0}), (validation, "list_versions_by_function", f | {"MaxItems": 0}),
        (validation, "put_function_concurrency", f | {"ReservedConcurrentExecutions": -1}),
        (invalid, "put_function_concurrency", f | {"ReservedConcurrentExecutions": 901}),
        (validation, "put_function_event_invoke_config", f | {"MaximumRetryAttempts": 3}),
        (validation, "put_function_event_invoke_config", f | {"MaximumEventAgeInSeconds": 59}),
        (invalid, "put_function_event_invoke_config", f),
        (invalid, "put_function_event_invoke_config", f | {"DestinationConfig": {"OnFailure": {"Destination": f"arn:aws:sqs:{st.region}:{st.account}:none"}}}),
        (validation, "create_function_url_config", f | {"AuthType": "SOME"}), (either, "create_function_url_config", f | {"AuthType": "NONE", "Qualifier": "1"}),
        (validation, "create_function_url_config", f | {"AuthType": "NONE", "Cors": {"MaxAge": 86401}}),
        (validation, "add_permission", f | {"StatementId": "a b", "Action": "lambda:InvokeFunction", "Principal": "*"}),
        (validation, "add_permission", f | {"StatementId": "a", "Action": "s3:GetObject", "Principal": "*"}),
        (validation, "add_permission", f | {"StatementId": "a", "Action": "lambda:InvokeFunction", "Principal": "nobody at all"}),
        (invalid, "add_permission", f | {"StatementId": "a", "Action": "lambda:InvokeFunction", "Principal": "nobody"}),
        ("ResourceNotFoundException", "remove_permission", f | {"StatementId": "none"}),
        (invalid, "tag_resource", {"Resource": arn, "Tags": {f"k{n}": "v" for n in range(51)}}), (invalid, "tag_resource", {"Resource": arn + ":1", "Tags": {"a": "b"}}),
        (validation, "tag_resource", {"Resource": "none", "Tags": {"a": "b"}}),
        (validation, "put_function_recursion_config", f | {"RecursiveLoop": "Maybe"}),
        (invalid, "put_runtime_management_config", f | {"UpdateRuntimeOn": "Manual"}),
        ("InvalidRequestContentException", "invoke", f | {"Payload": b"no json"}), (validation, "invoke", f | {"InvocationType": "Later"}),
        (validation, "invoke", f | {"LogType": "All"}), ("ResourceNotFoundException", "invoke", f | {"Qualifier": "none"}),
        ("ResourceNotFoundException", "invoke", f | {"Qualifier": "99"}), ("RequestTooLargeException", "invoke", f | {"Payload": big(6291457)}),
        ("RequestTooLargeException", "invoke", f | {"InvocationType": "Event", "Payload": big(1048577)}),
        ("RequestTooLargeException", "invoke_with_response_stream", f | {"Payload": big(6291457)}),
        ("InvalidRequestContentException", "invoke_with_response_stream", f | {"Payload": b"no json"}),
        ("InvalidRequestContentException", "invoke_async", f | {"InvokeArgs": b"no json"}),
        ("InvalidRequestContentException", "invoke", f | {"ClientContext": base64.b64encode(b"x" * 3600).decode()}),
        (invalid, "delete_function", f | {"Qualifier": "$LATEST"}),
    ]
    wrong = []
    for codes, operation, wanted in cases:
        expect_one(f"{operation} with {str(wanted)[:120]}", flat(codes), lambda: getattr(lam, operation)(**wanted), wrong)
    assert not wrong, "\n".join(wrong)
    refused("ProvisionedConcurrencyConfigNotFoundException", lambda: lam.get_provisioned_concurrency_config(**f, Qualifier="1"), 404)
    grant = dict(Action="lambda:InvokeFunction", Principal="s3.amazonaws.com", SourceArn="arn:aws:s3:::" + "x" * 60)

    def fill():
        for n in range(120):
            lam.add_permission(**f, StatementId=f"s{n}-" + "x" * 90, **grant)

    refused("PolicyLengthExceededException", fill, 400)
    return f"{len(cases) + 2} refused requests"


def big(size):
    return b'"' + b"x" * (size - 2) + b'"'


def upload(st):
    """50 MB and a byte"""
    over = archive({"app.py": (b"", 0o644)}) + b"\0" * ((50 << 20) + 1)
    try:
        st.lambda_.update_function_code(FunctionName=NAME, ZipFile=over)
    except Exception as error:
        found = getattr(error, "response", {})
        same((found.get("Error", {}).get("Code"), found.get("ResponseMetadata", {}).get("HTTPStatusCode")),
             ("RequestEntityTooLargeException", 413), "refusal")
        return "RequestEntityTooLargeException"
    raise AssertionError("it was taken")


def throttles(st):
    """rate limits"""
    limited = Stage(st.judge, os.environ["ORACLE_LIMITED_ENDPOINT"])
    throttled = set()
    for name, call in served(limited):
        if name.startswith("Invoke"):
            continue
        for _ in range(60):
            try:
                call()
            except Exception as error:
                if error.response["Error"]["Code"] == "TooManyRequestsException":
                    same(error.response["ResponseMetadata"]["HTTPStatusCode"], 429, "status")
                    throttled.add(name)
                    break
    missed = {name for name, _ in served(limited) if not name.startswith("Invoke")} - throttled
    assert not missed, f"not throttled: {sorted(missed)}"
    return f"{len(throttled)} operations throttled"


PARTS = [values, absent, denied, signatures, requests, upload, throttles]
