//! The vendor's managed policies that deploying tools attach.
//!
//! Source: the AWS managed policy reference. Statement ids are left out; the ids of the policies are those that the
//! real ones have, or made up where `ANPAEMBEDDED` says so.

use std::sync::LazyLock;

use super::state::Document;

/// One of them.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) name: &'static str,
    pub(crate) path: &'static str,
    pub(crate) id: &'static str,
    pub(crate) arn: String,
    pub(crate) version: &'static str,
    /// When it came into being, in seconds since 1970.
    pub(crate) created: i64,
    pub(crate) document: Document,
}

static ALL: LazyLock<Vec<Known>> = LazyLock::new(|| {
    let mut all: Vec<Known> = TABLE.iter().filter_map(read).collect();
    all.sort_by(|a, b| a.arn.cmp(&b.arn));
    all
});

/// All of them, by ARN.
pub(crate) fn all() -> &'static [Known] {
    &ALL
}

/// The one of this ARN.
pub(crate) fn find(arn: &str) -> Option<&'static Known> {
    all().iter().find(|known| known.arn == arn)
}

fn read(row: &Row) -> Option<Known> {
    let Row(path, name, id, version, statements) = *row;
    let text = format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{statements}]}}");
    Some(Known {
        name,
        path,
        id,
        arn: format!("arn:aws:iam::aws:policy{path}{name}"),
        version,
        created: 1_423_247_977,
        document: Document::read(&text).ok()?,
    })
}

/// Path, name, id, version, statements.
#[derive(Clone, Copy)]
struct Row(
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

const SERVICE: &str = "/service-role/";

#[rustfmt::skip]
const TABLE: &[Row] = &[
    Row("/", "AWSLambda_FullAccess", "ANPAEMBEDDEDLAMBDAFUL", "v5",
        r#"{"Effect":"Allow","Action":["cloudformation:DescribeStacks","cloudformation:ListStackResources","cloudwatch:ListMetrics","cloudwatch:GetMetricData","ec2:DescribeSecurityGroups","ec2:DescribeSubnets","ec2:DescribeVpcs","kms:DescribeKey","kms:ListAliases","iam:GetPolicy","iam:GetPolicyVersion","iam:GetRole","iam:GetRolePolicy","iam:ListAttachedRolePolicies","iam:ListRolePolicies","iam:ListRoles","lambda:*","logs:DescribeLogGroups","states:DescribeStateMachine","states:ListStateMachines","tag:GetResources","xray:GetTraceSummaries","xray:BatchGetTraces"],"Resource":"*"},
        {"Effect":"Allow","Action":"iam:PassRole","Resource":"*","Condition":{"StringEquals":{"iam:PassedToService":"lambda.amazonaws.com"}}},
        {"Effect":"Allow","Action":["logs:DescribeLogStreams","logs:GetLogEvents","logs:FilterLogEvents","logs:StartLiveTail","logs:StopLiveTail"],"Resource":"arn:aws:logs:*:*:log-group:/aws/lambda/*"}"#),
    Row("/", "AWSLambda_ReadOnlyAccess", "ANPAEMBEDDEDLAMBDAREA", "v2",
        r#"{"Effect":"Allow","Action":["cloudformation:DescribeStacks","cloudformation:ListStackResources","cloudwatch:GetMetricData","cloudwatch:ListMetrics","ec2:DescribeSecurityGroups","ec2:DescribeSubnets","ec2:DescribeVpcs","kms:ListAliases","iam:GetPolicy","iam:GetPolicyVersion","iam:GetRole","iam:GetRolePolicy","iam:ListAttachedRolePolicies","iam:ListRolePolicies","iam:ListRoles","logs:DescribeLogGroups","lambda:Get*","lambda:List*","states:DescribeStateMachine","states:ListStateMachines","tag:GetResources","xray:GetTraceSummaries","xray:BatchGetTraces"],"Resource":"*"},
        {"Effect":"Allow","Action":["logs:DescribeLogStreams","logs:GetLogEvents","logs:FilterLogEvents"],"Resource":"arn:aws:logs:*:*:log-group:/aws/lambda/*"}"#),
    Row("/", "AWSLambdaExecute", "ANPAJE5FX7FQZSU5XAKGO", "v3",
        r#"{"Effect":"Allow","Action":["logs:CreateLogGroup","logs:CreateLogStream","logs:PutLogEvents"],"Resource":"arn:aws:logs:*:*:*"},
        {"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::*"}"#),
    Row("/", "AWSXRayDaemonWriteAccess", "ANPAEMBEDDEDXRAYDAEMO", "v2",
        r#"{"Effect":"Allow","Action":["xray:PutTraceSegments","xray:PutTelemetryRecords","xray:GetSamplingRules","xray:GetSamplingTargets","xray:GetSamplingStatisticSummaries"],"Resource":["*"]}"#),
    Row("/", "AdministratorAccess", "ANPAIWMBCKSKIEE64ZLYK", "v1",
        r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#),
    Row("/", "AmazonS3FullAccess", "ANPAIFIR6V6BVTRAHWINE", "v2",
        r#"{"Effect":"Allow","Action":["s3:*","s3-object-lambda:*"],"Resource":"*"}"#),
    Row("/", "AmazonS3ReadOnlyAccess", "ANPAIZTJ4DXE7G6AGAE6M", "v3",
        r#"{"Effect":"Allow","Action":["s3:Get*","s3:List*","s3:Describe*","s3-object-lambda:Get*","s3-object-lambda:List*"],"Resource":"*"}"#),
    Row("/", "AmazonSQSFullAccess", "ANPAI65L554VRJ33ECQS6", "v1",
        r#"{"Effect":"Allow","Action":["sqs:*"],"Resource":"*"}"#),
    Row("/", "AmazonSQSReadOnlyAccess", "ANPAIUGSSQY362XGCM6KW", "v3",
        r#"{"Effect":"Allow","Action":["sqs:GetQueueAttributes","sqs:GetQueueUrl","sqs:ListDeadLetterSourceQueues","sqs:ListQueues","sqs:ListMessageMoveTasks","sqs:ListQueueTags"],"Resource":"*"}"#),
    Row("/", "CloudWatchLogsFullAccess", "ANPAJ3ZGNWK2R5HW5BQFO", "v2",
        r#"{"Effect":"Allow","Action":["logs:*","cloudwatch:GenerateQuery"],"Resource":"*"}"#),
    Row("/", "IAMFullAccess", "ANPAI7XKCFMBPM3QQRRVQ", "v2",
        r#"{"Effect":"Allow","Action":["iam:*","organizations:DescribeAccount","organizations:DescribeOrganization","organizations:DescribeOrganizationalUnit","organizations:DescribePolicy","organizations:ListChildren","organizations:ListParents","organizations:ListPoliciesForTarget","organizations:ListRoots","organizations:ListPolicies","organizations:ListTargetsForPolicy"],"Resource":"*"}"#),
    Row("/", "PowerUserAccess", "ANPAJYRXTHIB4FOVS3ZXS", "v6",
        r#"{"Effect":"Allow","NotAction":["iam:*","organizations:*","account:*"],"Resource":"*"},
        {"Effect":"Allow","Action":["account:GetAccountInformation","account:GetPrimaryEmail","account:ListRegions","iam:CreateServiceLinkedRole","iam:DeleteServiceLinkedRole","iam:ListRoles","organizations:DescribeEffectivePolicy","organizations:DescribeOrganization"],"Resource":"*"}"#),
    Row(SERVICE, "AWSLambdaBasicExecutionRole", "ANPAJNCQGXC42545SKXIK", "v1",
        r#"{"Effect":"Allow","Action":["logs:CreateLogGroup","logs:CreateLogStream","logs:PutLogEvents"],"Resource":"*"}"#),
    Row(SERVICE, "AWSLambdaDynamoDBExecutionRole", "ANPAEMBEDDEDLAMBDADYN", "v1",
        r#"{"Effect":"Allow","Action":["dynamodb:DescribeStream","dynamodb:GetRecords","dynamodb:GetShardIterator","dynamodb:ListStreams","logs:CreateLogGroup","logs:CreateLogStream","logs:PutLogEvents"],"Resource":"*"}"#),
    Row(SERVICE, "AWSLambdaKinesisExecutionRole", "ANPAEMBEDDEDLAMBDAKIN", "v2",
        r#"{"Effect":"Allow","Action":["kinesis:DescribeStream","kinesis:DescribeStreamSummary","kinesis:GetRecords","kinesis:GetShardIterator","kinesis:ListShards","kinesis:ListStreams","kinesis:SubscribeToShard","logs:CreateLogGroup","logs:CreateLogStream","logs:PutLogEvents"],"Resource":"*"}"#),
    Row(SERVICE, "AWSLambdaRole", "ANPAJX4DPCRGTC4NFDUXI", "v1",
        r#"{"Effect":"Allow","Action":["lambda:InvokeFunction"],"Resource":["*"]}"#),
    Row(SERVICE, "AWSLambdaSQSQueueExecutionRole", "ANPAJFWJZI6JNND4TSELK", "v1",
        r#"{"Effect":"Allow","Action":["sqs:ReceiveMessage","sqs:DeleteMessage","sqs:GetQueueAttributes","logs:CreateLogGroup","logs:CreateLogStream","logs:PutLogEvents"],"Resource":"*"}"#),
    Row(SERVICE, "AWSLambdaVPCAccessExecutionRole", "ANPAJVTME3YLVNL72YR2K", "v3",
        r#"{"Effect":"Allow","Action":["logs:CreateLogGroup","logs:CreateLogStream","logs:PutLogEvents","ec2:CreateNetworkInterface","ec2:DescribeNetworkInterfaces","ec2:DescribeSubnets","ec2:DeleteNetworkInterface","ec2:AssignPrivateIpAddresses","ec2:UnassignPrivateIpAddresses"],"Resource":"*"}"#),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_can_be_read() {
        assert_eq!(all().len(), TABLE.len());
        assert!(all().iter().all(|known| known.id.len() == 21));
        let basic = find("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole");
        assert_eq!(basic.map(|known| known.version), Some("v1"));
    }
}
