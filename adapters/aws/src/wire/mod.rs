//! Signed requests to the services that are called too seldom for an SDK crate: SQS and CloudWatch Logs.
