use std::sync::Arc;

use super::*;

fn policy(kind: Kind, text: &str) -> Policy {
    Policy::parse(text, kind).unwrap()
}

const USER: Who<'_> = Who::Identity {
    arn: "arn:aws:iam::000000000000:user/ann",
    account: "000000000000",
    role: None,
};
const SESSION: Who<'_> = Who::Identity {
    arn: "arn:aws:sts::000000000000:assumed-role/deploy/s",
    account: "000000000000",
    role: Some("arn:aws:iam::000000000000:role/deploy"),
};
const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:app";

fn ask(who: Who<'_>, action: &str, layers: &Layers<'_>, keys: &[(&str, &str)]) -> Verdict {
    let question = Question {
        who,
        action,
        resource: FUNCTION,
        context: keys,
    };
    decide(&question, layers)
}

fn identity(text: &str) -> Layers<'static> {
    Layers {
        identity: vec![Arc::new(policy(Kind::Identity, text))],
        ..Layers::default()
    }
}

#[test]
fn nothing_is_allowed_by_default_and_a_deny_wins() {
    let read = identity(
        r#"{"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":["lambda:Get*","lambda:list*"],"Resource":"arn:aws:lambda:*:*:function:a*"},
            {"Effect":"Deny","Action":"lambda:GetPolicy","Resource":"*"}]}"#,
    );
    assert_eq!(
        ask(USER, "lambda:GetFunction", &read, &[]),
        Verdict::Allowed
    );
    assert_eq!(
        ask(USER, "lambda:GetPolicy", &read, &[]),
        Verdict::Denied(Layer::Identity)
    );
    assert_eq!(
        ask(USER, "lambda:DeleteFunction", &read, &[]),
        Verdict::NotAllowed(Layer::Identity)
    );
    let none = Layers::default();
    assert_eq!(
        ask(USER, "lambda:GetFunction", &none, &[]),
        Verdict::NotAllowed(Layer::Identity)
    );
}

#[test]
fn the_others_are_meant_by_not_action_and_not_resource() {
    let all_but = identity(
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","NotAction":"lambda:Delete*",
            "NotResource":"arn:aws:lambda:*:*:function:secret"}}"#,
    );
    assert_eq!(
        ask(USER, "lambda:GetFunction", &all_but, &[]),
        Verdict::Allowed
    );
    assert_eq!(
        ask(USER, "lambda:DeleteFunction", &all_but, &[]),
        Verdict::NotAllowed(Layer::Identity)
    );
}

#[test]
fn sessions_and_boundaries_limit_what_identities_may() {
    let all =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    let only = Arc::new(policy(
        Kind::Identity,
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"*"},
            {"Effect":"Deny","Action":"lambda:GetPolicy","Resource":"*"}]}"#,
    ));
    let limit = [Arc::clone(&only)];
    let in_session = Layers {
        session: Some(&limit),
        ..identity(all)
    };
    assert_eq!(
        ask(SESSION, "lambda:InvokeFunction", &in_session, &[]),
        Verdict::Allowed
    );
    assert_eq!(
        ask(SESSION, "lambda:GetFunction", &in_session, &[]),
        Verdict::NotAllowed(Layer::Session)
    );
    assert_eq!(
        ask(SESSION, "lambda:GetPolicy", &in_session, &[]),
        Verdict::Denied(Layer::Session)
    );
    let bounded = Layers {
        boundary: Some(only),
        ..identity(all)
    };
    assert_eq!(
        ask(USER, "lambda:GetFunction", &bounded, &[]),
        Verdict::NotAllowed(Layer::Boundary)
    );
}

#[test]
fn a_resource_may_allow_by_itself_within_its_account_only() {
    let open = |principal: &str| {
        policy(
            Kind::Resource,
            &format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{principal},
                    "Action":"lambda:InvokeFunction","Resource":"{FUNCTION}"}}]}}"#
            ),
        )
    };
    let with = |policy: &Policy, who: Who<'_>, other_account: bool| {
        let layers = Layers {
            resource: Some(policy),
            other_account,
            ..Layers::default()
        };
        ask(who, "lambda:InvokeFunction", &layers, &[])
    };
    let needs_identity = Verdict::NotAllowed(Layer::Identity);
    let needs_resource = Verdict::NotAllowed(Layer::Resource);
    for (principal, who, expected) in [
        (r#""*""#, USER, Verdict::Allowed),
        (r#""*""#, Who::Anonymous, Verdict::Allowed),
        (
            r#"{"AWS":"arn:aws:iam::000000000000:user/ann"}"#,
            USER,
            Verdict::Allowed,
        ),
        (
            r#"{"AWS":"arn:aws:iam::000000000000:user/bob"}"#,
            USER,
            needs_identity,
        ),
        (r#"{"AWS":"000000000000"}"#, USER, needs_identity),
        (
            r#"{"AWS":"arn:aws:iam::000000000000:root"}"#,
            Who::Anonymous,
            needs_resource,
        ),
        (
            r#"{"AWS":"arn:aws:iam::000000000000:role/deploy"}"#,
            SESSION,
            Verdict::Allowed,
        ),
        (
            r#"{"Service":"s3.amazonaws.com"}"#,
            Who::Service("s3.amazonaws.com"),
            Verdict::Allowed,
        ),
        (
            r#"{"Service":"s3.amazonaws.com"}"#,
            Who::Service("sns.amazonaws.com"),
            needs_resource,
        ),
    ] {
        assert_eq!(
            with(&open(principal), who, false),
            expected,
            "{principal} {who:?}"
        );
    }
    let theirs = open(r#"{"AWS":"arn:aws:iam::000000000000:user/ann"}"#);
    assert_eq!(with(&theirs, USER, true), needs_identity);
    assert_eq!(
        with(&open(r#"{"AWS":"111111111111"}"#), USER, true),
        needs_resource
    );
    assert!(open(r#""*""#).is_public());
    assert!(!theirs.is_public());
}

#[test]
fn conditions_hold_by_operator_and_key() {
    let holds = |condition: &str, keys: &[(&str, &str)]| {
        let layers = identity(&format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{condition}}}]}}"#
        ));
        ask(USER, "lambda:X", &layers, keys) == Verdict::Allowed
    };
    let keys: &[(&str, &str)] = &[
        ("lambda:FunctionUrlAuthType", "NONE"),
        ("aws:SourceArn", "arn:aws:s3:::bucket"),
        ("aws:TagKeys", "a"),
        ("aws:TagKeys", "b"),
        ("aws:SourceIp", "192.0.2.7"),
        ("aws:CurrentTime", "2026-11-23T10:00:00Z"),
        ("s3:max-keys", "10"),
        ("aws:SecureTransport", "true"),
        ("aws:username", "ann"),
    ];
    for (condition, expected) in [
        (
            r#"{"StringEquals":{"Lambda:functionUrlAuthType":["AWS_IAM","NONE"]}}"#,
            true,
        ),
        (
            r#"{"StringEquals":{"lambda:FunctionUrlAuthType":"none"}}"#,
            false,
        ),
        (
            r#"{"StringEqualsIgnoreCase":{"lambda:FunctionUrlAuthType":"none"}}"#,
            true,
        ),
        (
            r#"{"StringNotEquals":{"lambda:FunctionUrlAuthType":["AWS_IAM","NONE"]}}"#,
            false,
        ),
        (r#"{"StringNotEquals":{"absent":"x"}}"#, true),
        (r#"{"StringEquals":{"absent":"x"}}"#, false),
        (r#"{"StringEqualsIfExists":{"absent":"x"}}"#, true),
        (
            r#"{"StringLike":{"aws:SourceArn":"arn:aws:s3:::b*"},"StringEquals":{"aws:username":"bob"}}"#,
            false,
        ),
        (
            r#"{"ArnLike":{"aws:SourceArn":"arn:aws:s3:*:*:b?cket"}}"#,
            true,
        ),
        (
            r#"{"ArnNotEquals":{"aws:SourceArn":"arn:aws:s3:::bucket"}}"#,
            false,
        ),
        (
            r#"{"ForAllValues:StringEquals":{"aws:TagKeys":["a","b","c"]}}"#,
            true,
        ),
        (
            r#"{"ForAllValues:StringEquals":{"aws:TagKeys":["a"]}}"#,
            false,
        ),
        (r#"{"ForAllValues:StringEquals":{"absent":["a"]}}"#, true),
        (r#"{"ForAnyValue:StringEquals":{"aws:TagKeys":"b"}}"#, true),
        (r#"{"ForAnyValue:StringEquals":{"absent":"b"}}"#, false),
        (r#"{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}"#, true),
        (
            r#"{"NotIpAddress":{"aws:SourceIp":["10.0.0.0/8","192.0.2.7"]}}"#,
            false,
        ),
        (r#"{"IpAddress":{"aws:SourceIp":"2001:db8::/32"}}"#, false),
        (
            r#"{"DateGreaterThan":{"aws:CurrentTime":"2026-01-01"}}"#,
            true,
        ),
        (r#"{"DateLessThan":{"aws:CurrentTime":1}}"#, false),
        (r#"{"NumericLessThanEquals":{"s3:max-keys":10}}"#, true),
        (r#"{"NumericGreaterThan":{"s3:max-keys":"10"}}"#, false),
        (r#"{"Bool":{"aws:SecureTransport":true}}"#, true),
        (r#"{"Null":{"absent":"true","aws:username":false}}"#, true),
        (r#"{"Null":{"aws:username":"true"}}"#, false),
        (
            r#"{"StringEquals":{"aws:username":"${aws:username}"}}"#,
            true,
        ),
        (r#"{"StringEquals":{"aws:username":"${absent}"}}"#, false),
    ] {
        assert_eq!(holds(condition, keys), expected, "{condition}");
    }
}

#[test]
fn malformed_documents_are_refused_in_the_vendors_words() {
    let wrap = |statement: &str| format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
    for (kind, text, expected) in [
        (
            Kind::Identity,
            "nonsense".to_owned(),
            "Syntax errors in policy.",
        ),
        (Kind::Identity, "[]".to_owned(), "Syntax errors in policy."),
        (Kind::Identity, wrap(""), "Syntax errors in policy."),
        (
            Kind::Identity,
            r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#.to_owned(),
            "Policy document must be version 2012-10-17 or greater.",
        ),
        (
            Kind::Identity,
            wrap(r#"{"Effect":"Allow","Resource":"*"}"#),
            "Policy statement must contain actions.",
        ),
        (
            Kind::Identity,
            wrap(r#"{"Effect":"Allow","Action":"*"}"#),
            "Policy statement must contain resources.",
        ),
        (
            Kind::Identity,
            wrap(r#"{"Effect":"allow","Action":"*","Resource":"*"}"#),
            "Syntax errors in policy.",
        ),
        (
            Kind::Identity,
            wrap(r#"{"Effect":"Allow","Action":"GetFunction","Resource":"*"}"#),
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
        ),
        (
            Kind::Identity,
            wrap(r#"{"Effect":"Allow","Action":"lambda:*","Resource":"app"}"#),
            "Resource app must be in ARN format or \"*\".",
        ),
        (
            Kind::Identity,
            wrap(r#"{"Effect":"Allow","Action":"lambda:*","Resource":"arn:azure:x"}"#),
            "Partition \"azure\" is not valid for resource \"arn:azure:x:*:*:*\".",
        ),
        (
            Kind::Identity,
            wrap(r#"{"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"}"#),
            "Policy document should not specify a principal.",
        ),
        (
            Kind::Identity,
            wrap(
                r#"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Equals":{"a":"b"}}}"#,
            ),
            "The policy failed legacy parsing",
        ),
        (
            Kind::Trust,
            "{".to_owned(),
            "This policy contains invalid Json",
        ),
        (
            Kind::Trust,
            wrap(r#"{"Effect":"Allow","Action":"sts:AssumeRole"}"#),
            "Missing required field Principal",
        ),
        (
            Kind::Trust,
            wrap(
                r#"{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Resource":"*"}"#,
            ),
            "Has prohibited field Resource",
        ),
        (
            Kind::Trust,
            wrap(r#"{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"lambda:Invoke"}"#),
            "AssumeRole policy may only specify STS AssumeRole actions.",
        ),
        (
            Kind::Trust,
            wrap(
                r#"{"Effect":"Allow","Principal":{"Service":"lambda"},"Action":"sts:AssumeRole"}"#,
            ),
            "Invalid principal in policy: \"SERVICE\":\"lambda\"",
        ),
        (
            Kind::Trust,
            wrap(r#"{"Effect":"Allow","Principal":{"AWS":"ann"},"Action":"sts:AssumeRole"}"#),
            "Invalid principal in policy: \"AWS\":\"ann\"",
        ),
        (
            Kind::Resource,
            wrap(r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#),
            "Missing required field Principal",
        ),
    ] {
        assert_eq!(
            Policy::parse(&text, kind),
            Err(expected.to_owned()),
            "{text}"
        );
    }
}
