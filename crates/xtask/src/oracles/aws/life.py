"""A function's life, from its role to the end, as boto3 tells it."""

import base64
import json

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from stage import archive, eventually, fetch, patiently, python, refused, same

NAME = "oracle-life"


def create(st):
    """roles, create, waiters, read"""
    st.execution_role = st.role("oracle-exec")
    st.iam.attach_role_policy(RoleName="oracle-exec", PolicyArn="arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole")
    made = st.create(NAME, Environment={"Variables": {"UNIT": "test"}}, Description="of the oracle", MemorySize=256,
                     Tags={"made-by": "oracle"}, EphemeralStorage={"Size": 600}, TracingConfig={"Mode": "PassThrough"},
                     LoggingConfig={"LogFormat": "Text"}, Architectures=["x86_64"])
    same(made["State"], "Pending", "state at first")
    found = st.lambda_.get_function(FunctionName=NAME)
    same(found["Configuration"]["State"], "Active", "state after the waiter")
    same(found["Tags"], {"made-by": "oracle"}, "tags")
    status, _, body = fetch(found["Code"]["Location"])
    same((status, body), (200, python("one")), "the code by its presigned URL")
    same(st.lambda_.get_function_configuration(FunctionName=made["FunctionArn"])["MemorySize"], 256, "memory")
    program = open(st.bootstrap, "rb").read()
    st.create("oracle-native", archive({"bootstrap": (program, 0o755)}), Runtime="provided.al2023", Handler="bootstrap")
    answer = st.lambda_.invoke(FunctionName="oracle-native", Payload=b'{"name":"Ada"}')
    assert "FunctionError" not in answer, answer["Payload"].read()
    return f"{NAME} ({st.runtime}) and a bootstrap are active"


def invoke(st):
    """invoke: sync, event, dry run, stream, failures"""
    answer = st.lambda_.invoke(FunctionName=NAME, Payload=b'{"a":1}', LogType="Tail")
    body = json.loads(answer["Payload"].read())
    same((answer["StatusCode"], answer["ExecutedVersion"], body["event"], body["unit"]), (200, "$LATEST", {"a": 1}, "test"), "answer")
    tail = base64.b64decode(answer["LogResult"]).decode()
    for mark in ("START RequestId: " + body["request"], "a line for the log", "END RequestId: ", "REPORT RequestId: "):
        assert mark in tail, f"no {mark!r} in the log's tail: {tail}"
    answer = st.lambda_.invoke(FunctionName=NAME, Payload=b'{"fail":true}')
    failure = json.loads(answer["Payload"].read())
    same((answer["StatusCode"], answer["FunctionError"], failure["errorType"], failure["errorMessage"]),
         (200, "Unhandled", "ValueError", "as was wished"), "failure")
    assert "in handler" in "".join(failure["stackTrace"]), failure
    same(st.lambda_.invoke(FunctionName=NAME, InvocationType="DryRun")["StatusCode"], 204, "dry run")
    same(st.lambda_.invoke(FunctionName=NAME, InvocationType="Event", Payload=b"{}")["StatusCode"], 202, "event")
    same(st.lambda_.invoke_async(FunctionName=NAME, InvokeArgs=b"{}")["Status"], 202, "invoke_async")
    stream = st.lambda_.invoke_with_response_stream(FunctionName=NAME, Payload=b'{"s":1}', LogType="Tail")
    events = list(stream["EventStream"])
    whole = b"".join(event["PayloadChunk"]["Payload"] for event in events if "PayloadChunk" in event)
    same(json.loads(whole)["event"], {"s": 1}, "streamed answer")
    assert "InvokeComplete" in events[-1] and "ErrorCode" not in events[-1]["InvokeComplete"], events[-1]
    stream = st.lambda_.invoke_with_response_stream(FunctionName=NAME, Payload=b'{"fail":true}')
    last = list(stream["EventStream"])[-1]["InvokeComplete"]
    assert last.get("ErrorCode"), last
    st.create("oracle-slow", Timeout=1)
    answer = st.lambda_.invoke(FunctionName="oracle-slow", Payload=b'{"sleep":3}')
    same(json.loads(answer["Payload"].read())["errorType"], "Sandbox.Timedout", "timeout")
    answer = st.lambda_.invoke(FunctionName=NAME, Payload=b'{"big":6400000}')
    same(json.loads(answer["Payload"].read())["errorType"], "Function.ResponseSizeTooLarge", "answer over 6 MB")
    return "sync, event, dry run, stream, failure, timeout, too large an answer"


def update(st):
    """code and settings by revision, versions"""
    latest = st.lambda_.get_function_configuration(FunctionName=NAME)
    refused("PreconditionFailedException", lambda: st.lambda_.update_function_code(
        FunctionName=NAME, ZipFile=python("two"), RevisionId="0" * 8), 412)
    dry = st.lambda_.update_function_code(FunctionName=NAME, ZipFile=python("two"), DryRun=True)
    assert dry["CodeSha256"] != latest["CodeSha256"]
    first = st.lambda_.publish_version(FunctionName=NAME, Description="first", CodeSha256=latest["CodeSha256"],
                                       RevisionId=latest["RevisionId"])
    st.lambda_.get_waiter("published_version_active").wait(FunctionName=NAME, Qualifier=first["Version"],
                                                           WaiterConfig={"Delay": 0.2, "MaxAttempts": 100})
    same(st.lambda_.publish_version(FunctionName=NAME)["Version"], first["Version"], "published without a change")
    revision = st.lambda_.get_function_configuration(FunctionName=NAME)["RevisionId"]
    st.lambda_.update_function_code(FunctionName=NAME, ZipFile=python("two"), RevisionId=revision)
    refused("ResourceConflictException", lambda: st.lambda_.update_function_configuration(FunctionName=NAME, Timeout=6), 409)
    st.updated(NAME)
    revision = st.lambda_.get_function_configuration(FunctionName=NAME)["RevisionId"]
    refused("PreconditionFailedException", lambda: st.lambda_.update_function_configuration(
        FunctionName=NAME, Timeout=7, RevisionId="stale"), 412)
    st.lambda_.update_function_configuration(FunctionName=NAME, RevisionId=revision, Timeout=7, MemorySize=512,
                                             Environment={"Variables": {"UNIT": "changed"}})
    st.updated(NAME)
    refused("InvalidParameterValueException", lambda: st.lambda_.publish_version(FunctionName=NAME, CodeSha256="bm90"), 400)
    refused("PreconditionFailedException", lambda: st.lambda_.publish_version(FunctionName=NAME, RevisionId="stale"), 412)
    second = st.lambda_.publish_version(FunctionName=NAME)
    st.lambda_.get_waiter("function_active_v2").wait(FunctionName=f"{NAME}:{second['Version']}",
                                                     WaiterConfig={"Delay": 0.2, "MaxAttempts": 100})
    for version, expected in ((first["Version"], "one"), (second["Version"], "two")):
        answer = st.lambda_.invoke(FunctionName=NAME, Qualifier=version, Payload=b"{}")
        same(json.loads(answer["Payload"].read())["version"], expected, f"version {version}")
    pages = st.lambda_.get_paginator("list_versions_by_function").paginate(FunctionName=NAME, PaginationConfig={"PageSize": 1})
    same([v["Version"] for page in pages for v in page["Versions"]], ["$LATEST", "1", "2"], "versions")
    # The same code by way of a bucket.
    st.s3.create_bucket(Bucket="oracle-code", CreateBucketConfiguration={"LocationConstraint": st.region})
    st.s3.put_object(Bucket="oracle-code", Key="three.zip", Body=python("three"))
    st.lambda_.update_function_code(FunctionName=NAME, S3Bucket="oracle-code", S3Key="three.zip", Publish=True)
    st.updated(NAME)
    st.lambda_.get_waiter("function_active_v2").wait(FunctionName=f"{NAME}:3", WaiterConfig={"Delay": 0.2, "MaxAttempts": 100})
    answer = st.lambda_.invoke(FunctionName=f"{NAME}:3")
    same(json.loads(answer["Payload"].read())["version"], "three", "code from S3")
    return "three versions, one by S3, stale revisions refused"


def aliases(st):
    """aliases, weights, paginators"""
    made = st.lambda_.create_alias(FunctionName=NAME, Name="live", FunctionVersion="1", Description="first")
    refused("ResourceConflictException", lambda: st.lambda_.create_alias(FunctionName=NAME, Name="live", FunctionVersion="1"), 409)
    refused("PreconditionFailedException", lambda: st.lambda_.update_alias(
        FunctionName=NAME, Name="live", FunctionVersion="2", RevisionId="stale"), 412)
    st.lambda_.update_alias(FunctionName=NAME, Name="live", FunctionVersion="1", RevisionId=made["RevisionId"],
                            RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}})
    seen = {st.lambda_.invoke(FunctionName=NAME, Qualifier="live")["ExecutedVersion"] for _ in range(60)}
    same(seen, {"1", "2"}, "versions behind the weighted alias")
    st.lambda_.update_alias(FunctionName=NAME, Name="live", FunctionVersion="2", RoutingConfig={"AdditionalVersionWeights": {}})
    assert not st.lambda_.get_alias(FunctionName=NAME, Name="live").get("RoutingConfig", {}).get("AdditionalVersionWeights")
    st.lambda_.create_alias(FunctionName=NAME, Name="old", FunctionVersion="1")
    pages = st.lambda_.get_paginator("list_aliases").paginate(FunctionName=NAME, PaginationConfig={"PageSize": 1})
    same(sorted(a["Name"] for page in pages for a in page["Aliases"]), ["live", "old"], "aliases")
    same(len(st.lambda_.list_aliases(FunctionName=NAME, FunctionVersion="1")["Aliases"]), 1, "aliases of a version")
    refused("ResourceConflictException", lambda: st.lambda_.delete_function(FunctionName=NAME, Qualifier="1"), 409)
    pages = st.lambda_.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 1})
    names = [f["FunctionName"] for page in pages for f in page["Functions"]]
    assert NAME in names and len(set(names)) == len(names), names
    same({f["Version"] for f in st.lambda_.list_functions(FunctionVersion="ALL")["Functions"] if f["FunctionName"] == NAME},
         {"$LATEST", "1", "2", "3"}, "all versions")
    return "weights, pages, conflicts"


def settings(st):
    """tags, policy, concurrency, code signing, limits"""
    lam, arn = st.lambda_, st.lambda_.get_function(FunctionName=NAME)["Configuration"]["FunctionArn"]
    lam.tag_resource(Resource=arn, Tags={"a": "1", "b": "2"})
    lam.untag_resource(Resource=arn, TagKeys=["a"])
    same(lam.list_tags(Resource=arn)["Tags"], {"made-by": "oracle", "b": "2"}, "tags")
    allow = dict(FunctionName=NAME, StatementId="s1", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com",
                 SourceArn="arn:aws:s3:::oracle-code", SourceAccount=st.account)
    lam.add_permission(**allow)
    refused("ResourceConflictException", lambda: lam.add_permission(**allow), 409)
    refused("PreconditionFailedException", lambda: lam.add_permission(**(allow | {"StatementId": "s2", "RevisionId": "stale"})), 412)
    same(json.loads(lam.get_policy(FunctionName=NAME)["Policy"])["Statement"][0]["Sid"], "s1", "policy")
    refused("PreconditionFailedException", lambda: lam.remove_permission(FunctionName=NAME, StatementId="s1", RevisionId="stale"), 412)
    lam.remove_permission(FunctionName=NAME, StatementId="s1")
    refused("ResourceNotFoundException", lambda: lam.get_policy(FunctionName=NAME), 404)
    same(lam.put_function_concurrency(FunctionName=NAME, ReservedConcurrentExecutions=0)["ReservedConcurrentExecutions"], 0, "reserved")
    found = refused("TooManyRequestsException", lambda: lam.invoke(FunctionName=NAME), 429)
    same(found.get("Reason"), "ReservedFunctionConcurrentInvocationLimitExceeded", "reason")
    same(lam.get_function_concurrency(FunctionName=NAME)["ReservedConcurrentExecutions"], 0, "reserved")
    lam.delete_function_concurrency(FunctionName=NAME)
    lam.get_account_settings()
    lam.put_function_recursion_config(FunctionName=NAME, RecursiveLoop="Allow")
    same(lam.get_function_recursion_config(FunctionName=NAME)["RecursiveLoop"], "Allow", "recursion")
    lam.put_runtime_management_config(FunctionName=NAME, UpdateRuntimeOn="FunctionUpdate")
    lam.get_runtime_management_config(FunctionName=NAME)
    lam.list_event_source_mappings(FunctionName=NAME)
    lam.list_layers()
    lam.list_layer_versions(LayerName="none")
    lam.list_provisioned_concurrency_configs(FunctionName=NAME)
    profile = f"arn:aws:signer:{st.region}:{st.account}:/signing-profiles/oracle/abcdefghij"
    signing = lam.create_code_signing_config(AllowedPublishers={"SigningProfileVersionArns": [profile]})["CodeSigningConfig"]
    csc = signing["CodeSigningConfigArn"]
    lam.update_code_signing_config(CodeSigningConfigArn=csc, CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Enforce"})
    lam.put_function_code_signing_config(FunctionName="oracle-slow", CodeSigningConfigArn=csc)
    lam.get_function_code_signing_config(FunctionName="oracle-slow")
    same(len(lam.list_functions_by_code_signing_config(CodeSigningConfigArn=csc)["FunctionArns"]), 1, "signed functions")
    refused("CodeVerificationFailedException", lambda: lam.update_function_code(FunctionName="oracle-slow", ZipFile=python("x")), 400)
    refused("ResourceConflictException", lambda: lam.delete_code_signing_config(CodeSigningConfigArn=csc), 409)
    lam.delete_function_code_signing_config(FunctionName="oracle-slow")
    lam.get_code_signing_config(CodeSigningConfigArn=csc)
    lam.list_code_signing_configs()
    lam.delete_code_signing_config(CodeSigningConfigArn=csc)
    return "tags, policy, concurrency, code signing, recursion, runtime updates"


def dead_letters(st):
    """event invoke config, dead letters, destinations"""
    lam = st.lambda_
    url = st.sqs.create_queue(QueueName="oracle-dead")["QueueUrl"]
    queue = st.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    refused("InvalidParameterValueException", lambda: lam.update_function_configuration(
        FunctionName=NAME, DeadLetterConfig={"TargetArn": queue}), 400)
    grant = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue}]}
    st.iam.put_role_policy(RoleName="oracle-exec", PolicyName="dead", PolicyDocument=json.dumps(grant))
    patiently(lambda: lam.update_function_configuration(FunctionName=NAME, DeadLetterConfig={"TargetArn": queue}), "SendMessage")
    st.updated(NAME)
    lam.put_function_event_invoke_config(FunctionName=NAME, MaximumRetryAttempts=0, MaximumEventAgeInSeconds=60)
    lam.invoke(FunctionName=NAME, InvocationType="Event", Payload=b'{"fail":true}')
    letter = eventually(lambda: st.sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"], WaitTimeSeconds=1).get("Messages"),
                        "the dead letter")[0]
    same(letter["Body"], '{"fail":true}', "dead letter")
    same(set(letter["MessageAttributes"]), {"RequestID", "ErrorCode", "ErrorMessage"}, "its attributes")
    st.sqs.delete_message(QueueUrl=url, ReceiptHandle=letter["ReceiptHandle"])
    lam.update_function_event_invoke_config(FunctionName=NAME, DestinationConfig={"OnFailure": {"Destination": queue}})
    lam.get_function_event_invoke_config(FunctionName=NAME)
    same(len(lam.list_function_event_invoke_configs(FunctionName=NAME)["FunctionEventInvokeConfigs"]), 1, "configurations")
    lam.update_function_configuration(FunctionName=NAME, DeadLetterConfig={"TargetArn": ""})
    st.updated(NAME)
    lam.invoke(FunctionName=NAME, InvocationType="Event", Payload=b'{"fail":true,"n":2}')
    letter = eventually(lambda: st.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages"), "the record")[0]
    record = json.loads(letter["Body"])
    same((record["version"], record["requestContext"]["condition"], record["requestPayload"]),
         ("1.0", "RetriesExhausted", {"fail": True, "n": 2}), "record")
    lam.delete_function_event_invoke_config(FunctionName=NAME)
    refused("ResourceNotFoundException", lambda: lam.get_function_event_invoke_config(FunctionName=NAME), 404)
    return "a dead letter with its attributes, a destination's record"


def urls(st):
    """function URLs: NONE and AWS_IAM"""
    lam = st.lambda_
    made = lam.create_function_url_config(FunctionName=NAME, AuthType="NONE", Cors={"AllowOrigins": ["*"], "MaxAge": 5})
    refused("ResourceConflictException", lambda: lam.create_function_url_config(FunctionName=NAME, AuthType="NONE"), 409)
    lam.add_permission(FunctionName=NAME, StatementId="open", Action="lambda:InvokeFunctionUrl", Principal="*", FunctionUrlAuthType="NONE")
    lam.add_permission(FunctionName=NAME, StatementId="open-2", Action="lambda:InvokeFunction", Principal="*",
                       InvokedViaFunctionUrl=True)
    address = made["FunctionUrl"]
    status, _, body = fetch(st.reachable(address), "POST", b'{"hello":1}', {"content-type": "application/json"})
    same(status, 200, f"an open URL answers {body[:200]!r}")
    same(json.loads(body)["event"]["version"], "2.0", "its event")
    lam.update_function_url_config(FunctionName=NAME, AuthType="AWS_IAM", InvokeMode="BUFFERED")
    same(lam.get_function_url_config(FunctionName=NAME)["AuthType"], "AWS_IAM", "auth type")
    eventually(lambda: fetch(st.reachable(address))[0] == 403, "a request without a signature is denied")
    request = AWSRequest("GET", st.reachable(address))
    SigV4Auth(Credentials(st.key, st.secret), "lambda", st.region).add_auth(request)
    status, _, body = fetch(st.reachable(address), headers=request.headers.items())
    same(status, 200, f"a signed request answers {body[:200]!r}")
    same(len(lam.list_function_url_configs(FunctionName=NAME)["FunctionUrlConfigs"]), 1, "URLs")
    lam.delete_function_url_config(FunctionName=NAME)
    refused("ResourceNotFoundException", lambda: lam.get_function_url_config(FunctionName=NAME), 404)
    return "open, signed, denied"


def logs(st):
    """CloudWatch Logs"""
    group = f"/aws/lambda/{NAME}"
    streams = st.logs.describe_log_streams(logGroupName=group, orderBy="LastEventTime", descending=True)["logStreams"]
    assert streams, "no log stream"
    pages = st.logs.get_paginator("filter_log_events").paginate(logGroupName=group, PaginationConfig={"PageSize": 3})
    lines = [event["message"] for page in pages for event in page["events"]]
    for mark in ("START RequestId", "END RequestId", "REPORT RequestId", "a line for the log"):
        assert any(mark in line for line in lines), f"no {mark} in the log"
    st.logs.get_log_events(logGroupName=group, logStreamName=streams[0]["logStreamName"], startFromHead=True, limit=2)
    st.logs.put_retention_policy(logGroupName=group, retentionInDays=7)
    same(st.logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["retentionInDays"], 7, "retention")
    st.logs.delete_retention_policy(logGroupName=group)
    refused("ResourceNotFoundException", lambda: st.logs.filter_log_events(logGroupName="/none"), 400)
    refused("InvalidParameterException", lambda: st.logs.put_retention_policy(logGroupName=group, retentionInDays=2), 400)
    refused("ResourceAlreadyExistsException", lambda: st.logs.create_log_group(logGroupName=group), 400)
    st.logs.delete_log_group(logGroupName=group)
    return f"{len(lines)} lines"


def delete(st):
    """the end"""
    lam = st.lambda_
    for alias in ("live", "old"):
        lam.delete_alias(FunctionName=NAME, Name=alias)
    lam.delete_function(FunctionName=NAME, Qualifier="3")
    for name in (NAME, "oracle-native", "oracle-slow"):
        lam.delete_function(FunctionName=name)
        refused("ResourceNotFoundException", lambda: lam.get_function(FunctionName=name), 404)
    return "nothing is left"


PARTS = [create, invoke, update, aliases, settings, dead_letters, urls, logs]
