//! What is served, for tables of coverage.

use crate::model;

/// An operation that the embedded AWS serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServedOperation {
    /// The service's name in credential scopes: `lambda`, `s3`, `sqs`, `sts`, `iam` or `logs`.
    pub service: &'static str,
    /// The operation's name in the vendor's model.
    pub operation: &'static str,
    /// The errors that the vendor's model lists for it. The common errors of all operations are not
    /// among them.
    pub errors: &'static [&'static str],
}

/// All operations that are served, by service and name. Any other operation of these services is answered
/// with status 501, and says so.
pub fn served() -> impl Iterator<Item = ServedOperation> {
    model::served().map(|(service, operation)| ServedOperation {
        service: service.name(),
        operation: operation.name,
        errors: &operation.errors,
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use http::HeaderMap;
    use serde_json::Map;

    use super::*;
    use crate::call::{Call, CallCx};
    use crate::{Config, Emulator, services};

    #[test]
    fn the_table_has_each_operation_once() {
        let mut all: Vec<_> = served()
            .map(|served| (served.service, served.operation))
            .collect();
        let count = all.len();
        assert!(count > 150, "{count}");
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
        let invoke = served()
            .find(|served| served.operation == "Invoke")
            .unwrap();
        assert!(invoke.errors.contains(&"TooManyRequestsException"));
    }

    /// Whatever the table has, a room serves: with an input that no client gets through, too.
    #[tokio::test]
    async fn what_is_listed_is_served() {
        let aws = Emulator::start(Config::new().enforce_permissions(false))
            .await
            .unwrap();
        let cloud = aws.shared();
        let admin = cloud.access.key(&aws.credentials().access_key).unwrap();
        for (service, operation) in model::served() {
            let call = Call {
                service,
                operation: operation.name,
                input: Map::new(),
                payload: Bytes::new(),
                headers: HeaderMap::new(),
                cx: CallCx {
                    request_id: String::new(),
                    caller: admin.caller.clone(),
                    account: cloud.config.account.clone(),
                    region: cloud.config.region.clone(),
                    cloud: Arc::clone(cloud),
                },
            };
            if let Err(error) = services::call(call).await {
                assert!(
                    !error.message.contains("is not served by the embedded AWS"),
                    "{}: {}",
                    operation.name,
                    error.message
                );
            }
        }
        aws.shutdown().await;
    }
}
