//! Where the code of a function can be had: a presigned URL of S3, as on AWS.

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest as _, Sha256};

use crate::answer::ApiError;
use crate::call::{CallCx, Service};
use crate::config::Credentials;

use super::names::partition;
use super::version::VersionConfig;

/// Seconds for which a URL is good. Source: Lambda API model, `FunctionCodeLocation`.
const GOOD_FOR: u32 = 600;

/// All but what a URL may hold unencoded in a query.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A URL that the code of a version can be had from for ten minutes.
///
/// # Errors
/// There is no role left to sign as, or the code is gone.
pub(crate) fn offer(cx: &CallCx, config: &VersionConfig) -> Result<String, ApiError> {
    let blob = config
        .code
        .blob()
        .ok_or_else(|| ApiError::internal(Service::Lambda, "the code is gone"))?;
    let bucket = bucket(&config.region);
    let key = key(config);
    cx.cloud.s3.put_internal(
        &bucket,
        &config.region,
        &key,
        blob.clone(),
        cx.cloud.clock.epoch_millis(),
    );
    let own = format!(
        "arn:{}:iam::{}:role/anyport-embedded",
        partition(&config.region),
        config.account
    );
    let credentials = [own.as_str(), &config.settings.role]
        .iter()
        .find_map(|role| cx.cloud.access.role_credentials(role, "snapshots"))
        .ok_or_else(|| ApiError::internal(Service::Lambda, "there is no role to sign as"))?;
    let host = cx.cloud.endpoint.trim_start_matches("http://");
    let signed = presign(
        &credentials,
        &config.region,
        host,
        &format!("/{bucket}/{key}"),
        (Timestamp::now(), GOOD_FOR),
    );
    Ok(format!("http://{host}{signed}"))
}

/// Takes back what was offered of a version.
pub(crate) fn withdraw(cx: &CallCx, config: &VersionConfig) {
    cx.cloud
        .s3
        .remove_internal(&bucket(&config.region), &key(config));
}

fn bucket(region: &str) -> String {
    format!("awslambda-{region}-tasks")
}

fn key(config: &VersionConfig) -> String {
    let version = config.version.trim_start_matches('$');
    format!("snapshots/{}/{}-{version}", config.account, config.function)
}

/// The path and query of a presigned GET. The path needs no encoding. Source: S3 API reference,
/// authenticating requests by query parameters.
fn presign(
    credentials: &Credentials,
    region: &str,
    host: &str,
    path: &str,
    (now, good_for): (Timestamp, u32),
) -> String {
    let time = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let date = &time[..8];
    let scope = format!("{date}/{region}/s3/aws4_request");
    let encode = |text: &str| utf8_percent_encode(text, QUERY).to_string();
    let mut query = format!(
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}&X-Amz-Date={time}&X-Amz-Expires={good_for}",
        encode(&format!("{}/{scope}", credentials.access_key)),
    );
    if let Some(token) = &credentials.session_token {
        query.push_str("&X-Amz-Security-Token=");
        query.push_str(&encode(token));
    }
    query.push_str("&X-Amz-SignedHeaders=host");
    let request = format!("GET\n{path}\n{query}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD");
    let digest = HEXLOWER.encode(&Sha256::digest(request.as_bytes()));
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{digest}");
    let secret = format!("AWS4{}", credentials.secret_key);
    let signature = [date, region, "s3", "aws4_request", &text]
        .iter()
        .fold(secret.into_bytes(), |key, part| mac(&key, part));
    format!(
        "{path}?{query}&X-Amz-Signature={}",
        HEXLOWER.encode(&signature)
    )
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    // Keys of any length will do.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return Vec::new();
    };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_signed_as_in_the_vendors_example() {
        let credentials = Credentials::new(
            "AKIAIOSFODNN7EXAMPLE",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        );
        let now: Timestamp = "2013-05-24T00:00:00Z".parse().unwrap();
        let signed = presign(
            &credentials,
            "us-east-1",
            "examplebucket.s3.amazonaws.com",
            "/test.txt",
            (now, 86_400),
        );
        assert!(
            signed.ends_with(
                "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
            ),
            "{signed}"
        );
    }
}
