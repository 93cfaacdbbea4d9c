//! Where the services are.

use aws_config::SdkConfig;

/// A partition: the name in its ARNs, and the suffix of its host names. Source: the partitions file that the AWS SDKs carry.
const PARTITIONS: [(&str, &str, &str); 7] = [
    ("cn-", "aws-cn", "amazonaws.com.cn"),
    ("us-gov-", "aws-us-gov", "amazonaws.com"),
    ("us-iso-", "aws-iso", "c2s.ic.gov"),
    ("us-isob-", "aws-iso-b", "sc2s.sgov.gov"),
    ("eu-isoe-", "aws-iso-e", "cloud.adc-e.uk"),
    ("us-isof-", "aws-iso-f", "csp.hci.ic.gov"),
    ("eusc-", "aws-eusc", "amazonaws.eu"),
];

/// The name of the region's partition in ARNs.
pub(crate) fn partition(region: &str) -> &'static str {
    lookup(region).0
}

fn lookup(region: &str) -> (&'static str, &'static str) {
    PARTITIONS
        .iter()
        .find(|(prefix, _, _)| region.starts_with(prefix))
        .map_or(("aws", "amazonaws.com"), |(_, name, suffix)| {
            (*name, *suffix)
        })
}

/// Where `service` is: the SDK's endpoint where one is set, else AWS.
pub(crate) fn url(sdk: &SdkConfig, region: &str, service: &str) -> String {
    if let Some(url) = sdk.endpoint_url() {
        return url.to_owned();
    }
    let fips = if sdk.use_fips() == Some(true) {
        "-fips"
    } else {
        ""
    };
    let suffix = match (sdk.use_dual_stack(), partition(region)) {
        (Some(true), "aws" | "aws-us-gov") => "api.aws",
        (Some(true), "aws-cn") => "api.amazonwebservices.com.cn",
        _ => lookup(region).1,
    };
    format!("https://{service}{fips}.{region}.{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_follow_the_partition_unless_an_endpoint_is_set() {
        let plain = SdkConfig::builder().build();
        for (region, expected) in [
            ("eu-west-1", "https://sqs.eu-west-1.amazonaws.com"),
            ("cn-north-1", "https://sqs.cn-north-1.amazonaws.com.cn"),
            ("us-gov-west-1", "https://sqs.us-gov-west-1.amazonaws.com"),
        ] {
            assert_eq!(url(&plain, region, "sqs"), expected);
        }
        let fips = SdkConfig::builder().use_fips(true).build();
        assert_eq!(
            url(&fips, "us-east-1", "logs"),
            "https://logs-fips.us-east-1.amazonaws.com"
        );
        let set = SdkConfig::builder()
            .endpoint_url("http://127.0.0.1:4566")
            .build();
        assert_eq!(url(&set, "eu-west-1", "sqs"), "http://127.0.0.1:4566");
        assert_eq!(partition("cn-north-1"), "aws-cn");
        assert_eq!(partition("us-east-1"), "aws");
    }
}
