"""The services around Lambda: what deploying and dead letters need of them."""

import io
import json

from stage import eventually, fetch, patiently, refused, same


def s3(st):
    """S3"""
    s3 = st.s3
    bucket = "oracle-bucket"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": st.region})
    refused("BucketAlreadyOwnedByYou", lambda: s3.create_bucket(
        Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": st.region}), 409)
    s3.head_bucket(Bucket=bucket)
    same(s3.get_bucket_location(Bucket=bucket)["LocationConstraint"], st.region, "location")
    put = s3.put_object(Bucket=bucket, Key="a/b c+ü", Body=b"content", ContentType="text/plain", Metadata={"by": "oracle"})
    got = s3.get_object(Bucket=bucket, Key="a/b c+ü")
    same((got["Body"].read(), got["ContentType"], got["Metadata"], got["ETag"]), (b"content", "text/plain", {"by": "oracle"}, put["ETag"]), "object")
    same(s3.get_object(Bucket=bucket, Key="a/b c+ü", Range="bytes=1-3")["Body"].read(), b"ont", "range")
    refused("InvalidRange", lambda: s3.get_object(Bucket=bucket, Key="a/b c+ü", Range="bytes=99-"), 416)
    refused("304", lambda: s3.get_object(Bucket=bucket, Key="a/b c+ü", IfNoneMatch=put["ETag"]), 304)
    refused("PreconditionFailed", lambda: s3.put_object(Bucket=bucket, Key="a/b c+ü", Body=b"", IfNoneMatch="*"), 412)
    refused("NoSuchKey", lambda: s3.get_object(Bucket=bucket, Key="none"), 404)
    refused("404", lambda: s3.head_object(Bucket=bucket, Key="none"), 404)
    refused("NoSuchBucket", lambda: s3.get_object(Bucket="oracle-none", Key="none"), 404)
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "a/b c+ü"})
    s3.put_object_tagging(Bucket=bucket, Key="copy", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    same(s3.get_object_tagging(Bucket=bucket, Key="copy")["TagSet"], [{"Key": "a", "Value": "b"}], "tags")
    s3.get_object_attributes(Bucket=bucket, Key="copy", ObjectAttributes=["ETag", "ObjectSize"])
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": 1})
    same([o["Key"] for page in pages for o in page["Contents"]], ["a/b c+ü", "copy"], "keys")
    same(s3.list_objects_v2(Bucket=bucket, Delimiter="/")["CommonPrefixes"], [{"Prefix": "a/"}], "folders")
    s3.list_objects(Bucket=bucket)
    s3.upload_fileobj(io.BytesIO(b"x" * (9 << 20)), bucket, "large")
    same(s3.head_object(Bucket=bucket, Key="large")["ContentLength"], 9 << 20, "an upload in parts")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="part")["UploadId"]
    refused("NoSuchUpload", lambda: s3.abort_multipart_upload(Bucket=bucket, Key="part", UploadId="none"), 404)
    part = s3.upload_part(Bucket=bucket, Key="part", UploadId=upload, PartNumber=1, Body=b"small")
    s3.list_parts(Bucket=bucket, Key="part", UploadId=upload)
    s3.list_multipart_uploads(Bucket=bucket)
    refused("InvalidPart", lambda: s3.complete_multipart_upload(Bucket=bucket, Key="part", UploadId=upload, MultipartUpload={
        "Parts": [{"PartNumber": 2, "ETag": part["ETag"]}]}), 400)
    s3.abort_multipart_upload(Bucket=bucket, Key="part", UploadId=upload)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.get_bucket_versioning(Bucket=bucket)
    one = s3.put_object(Bucket=bucket, Key="versions", Body=b"1")["VersionId"]
    s3.put_object(Bucket=bucket, Key="versions", Body=b"2")
    same(s3.get_object(Bucket=bucket, Key="versions", VersionId=one)["Body"].read(), b"1", "an old version")
    for name, wanted in (("get_bucket_policy", "NoSuchBucketPolicy"), ("get_bucket_tagging", "NoSuchTagSet"),
                         ("get_bucket_cors", "NoSuchCORSConfiguration"), ("get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration")):
        refused(wanted, lambda: getattr(s3, name)(Bucket=bucket), 404)
    for name in ("get_bucket_acl", "get_bucket_encryption", "get_bucket_logging", "get_public_access_block",
                 "get_bucket_notification_configuration", "get_bucket_ownership_controls", "get_bucket_accelerate_configuration"):
        getattr(s3, name)(Bucket=bucket)
    s3.list_buckets()
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "copy"}, ExpiresIn=60)
    same(fetch(url)[::2], (200, b"content"), "a presigned reading")
    same(fetch(url.replace("copy", "large"))[0], 403, "another object by the same URL")
    put = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "put"}, ExpiresIn=60)
    same(fetch(put, "PUT", b"by URL")[0], 200, "a presigned writing")
    refused("BucketNotEmpty", lambda: s3.delete_bucket(Bucket=bucket), 409)
    versions = s3.list_object_versions(Bucket=bucket)
    doomed = [{"Key": v["Key"], "VersionId": v["VersionId"]} for v in versions["Versions"]]
    same(len(s3.delete_objects(Bucket=bucket, Delete={"Objects": doomed})["Deleted"]), len(doomed), "deleted")
    s3.delete_bucket(Bucket=bucket)
    refused("SignatureDoesNotMatch", lambda: st.client("s3", st.key, "x" * 40).list_buckets(), 403)
    refused("InvalidAccessKeyId", lambda: st.client("s3", "AKIAORACLEORACLEORAC", "x" * 40).list_buckets(), 403)
    return "objects, ranges, conditions, parts, versions, tags, presigned URLs"


def sqs(st):
    """SQS"""
    sqs = st.sqs
    dead = sqs.create_queue(QueueName="oracle-letters")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["All"])["Attributes"]["QueueArn"]
    url = sqs.create_queue(QueueName="oracle-queue", Attributes={
        "VisibilityTimeout": "0", "RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 2})})["QueueUrl"]
    same(sqs.get_queue_url(QueueName="oracle-queue")["QueueUrl"], url, "URL")
    sqs.send_message(QueueUrl=url, MessageBody="one", MessageAttributes={"a": {"DataType": "String", "StringValue": "b"}})
    eventually(lambda: not sqs.receive_message(QueueUrl=url, AttributeNames=["All"], MessageAttributeNames=["All"]).get("Messages"), "an empty queue")
    letter = eventually(lambda: sqs.receive_message(QueueUrl=dead, WaitTimeSeconds=1).get("Messages"), "a dead letter")[0]
    sqs.change_message_visibility(QueueUrl=dead, ReceiptHandle=letter["ReceiptHandle"], VisibilityTimeout=3)
    same(sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"], [url], "sources")
    batch = sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": "a", "MessageBody": "x"}, {"Id": "b", "MessageBody": "\x01"}])
    same((len(batch["Successful"]), len(batch.get("Failed", []))), (1, 1), "a batch")
    got = eventually(lambda: sqs.receive_message(QueueUrl=url).get("Messages"), "a message")
    sqs.delete_message_batch(QueueUrl=url, Entries=[{"Id": "a", "ReceiptHandle": got[0]["ReceiptHandle"]}])
    sqs.tag_queue(QueueUrl=url, Tags={"a": "b"})
    same(sqs.list_queue_tags(QueueUrl=url)["Tags"], {"a": "b"}, "tags")
    sqs.untag_queue(QueueUrl=url, TagKeys=["a"])
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "5"})
    pages = sqs.get_paginator("list_queues").paginate(QueueNamePrefix="oracle-", PaginationConfig={"PageSize": 1})
    assert len([u for page in pages for u in page.get("QueueUrls", [])]) >= 2
    refused("AWS.SimpleQueueService.NonExistentQueue", lambda: sqs.get_queue_url(QueueName="oracle-none"), 400)
    refused("InvalidAttributeName", lambda: sqs.set_queue_attributes(QueueUrl=url, Attributes={"None": "5"}), 400)
    refused("ReceiptHandleIsInvalid", lambda: sqs.delete_message(QueueUrl=url, ReceiptHandle="none"))
    sqs.purge_queue(QueueUrl=url)
    for gone in (url, dead):
        sqs.delete_queue(QueueUrl=gone)
    return "messages, batches, dead letters, tags"


def access(st):
    """IAM and STS"""
    iam, sts = st.iam, st.sts
    same(sts.get_caller_identity()["Account"], st.account, "account")
    iam.create_user(UserName="oracle-user", Tags=[{"Key": "a", "Value": "b"}])
    refused("EntityAlreadyExists", lambda: iam.create_user(UserName="oracle-user"), 409)
    refused("NoSuchEntity", lambda: iam.get_user(UserName="oracle-none"), 404)
    document = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "lambda:List*", "Resource": "*"}]})
    policy = iam.create_policy(PolicyName="oracle-policy", PolicyDocument=document)["Policy"]["Arn"]
    iam.attach_user_policy(UserName="oracle-user", PolicyArn=policy)
    key = iam.create_access_key(UserName="oracle-user")["AccessKey"]
    user = st.client("lambda", key["AccessKeyId"], key["SecretAccessKey"])
    patiently(lambda: user.list_functions(), "not authorized")
    refused("AccessDeniedException", lambda: user.get_account_settings(), 403)
    refused("DeleteConflict", lambda: iam.delete_user(UserName="oracle-user"), 409)
    refused("DeleteConflict", lambda: iam.delete_policy(PolicyArn=policy), 409)
    refused("MalformedPolicyDocument", lambda: iam.create_policy(PolicyName="x", PolicyDocument="{}"), 400)
    refused("NoSuchEntity", lambda: iam.attach_user_policy(UserName="oracle-user", PolicyArn=policy + "-none"), 404)
    same(iam.list_entities_for_policy(PolicyArn=policy)["PolicyUsers"][0]["UserName"], "oracle-user", "entities")
    iam.create_policy_version(PolicyArn=policy, PolicyDocument=document, SetAsDefault=True)
    same(len(iam.list_policy_versions(PolicyArn=policy)["Versions"]), 2, "versions")
    iam.get_policy_version(PolicyArn=policy, VersionId="v2")
    iam.delete_policy_version(PolicyArn=policy, VersionId="v1")
    trust = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{st.account}:root"}, "Action": "sts:AssumeRole"}]})
    role = iam.create_role(RoleName="oracle-role", AssumeRolePolicyDocument=trust, MaxSessionDuration=3600, Description="of the oracle",
                           Tags=[{"Key": "a", "Value": "b"}])["Role"]["Arn"]
    same(iam.get_role(RoleName="oracle-role")["Role"]["AssumeRolePolicyDocument"]["Version"], "2012-10-17", "trust")
    iam.attach_role_policy(RoleName="oracle-role", PolicyArn=policy)
    iam.put_role_policy(RoleName="oracle-role", PolicyName="inline", PolicyDocument=document)
    same(iam.get_role_policy(RoleName="oracle-role", PolicyName="inline")["PolicyDocument"], json.loads(document), "inline policy")
    iam.list_role_policies(RoleName="oracle-role")
    iam.list_attached_role_policies(RoleName="oracle-role")
    iam.list_role_tags(RoleName="oracle-role")
    session = patiently(lambda: sts.assume_role(RoleArn=role, RoleSessionName="oracle", DurationSeconds=900), "not authorized")
    keys = session["Credentials"]
    temporary = (keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    same(st.client("sts", *temporary).get_caller_identity()["Arn"], f"arn:aws:sts::{st.account}:assumed-role/oracle-role/oracle", "session")
    st.client("lambda", *temporary).list_functions()
    refused("AccessDenied", lambda: sts.assume_role(RoleArn=role + "-none", RoleSessionName="oracle"), 403)
    refused("ValidationError", lambda: st.client("sts", validate=False).assume_role(
        RoleArn=role, RoleSessionName="oracle", DurationSeconds=899), 400)
    sts.get_session_token()
    refused("InvalidClientTokenId", lambda: st.client("sts", "AKIAORACLEORACLEORAC", "x" * 40).get_caller_identity(), 403)
    refused("SignatureDoesNotMatch", lambda: st.client("iam", st.key, "x" * 40).list_users(), 403)
    for name in ("list_users", "list_roles", "list_policies"):
        for page in iam.get_paginator(name).paginate(PaginationConfig={"PageSize": 2}):
            assert page
    iam.detach_user_policy(UserName="oracle-user", PolicyArn=policy)
    iam.update_access_key(UserName="oracle-user", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    iam.delete_access_key(UserName="oracle-user", AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName="oracle-user")
    iam.delete_role_policy(RoleName="oracle-role", PolicyName="inline")
    iam.detach_role_policy(RoleName="oracle-role", PolicyArn=policy)
    iam.delete_role(RoleName="oracle-role")
    iam.delete_policy(PolicyArn=policy)
    return "users, keys, roles, policies, sessions"


PARTS = [s3, sqs, access]
