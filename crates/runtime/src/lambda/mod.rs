//! AWS Lambda's Runtime API: pull an event, answer it, pull the next.

mod client;
mod connection;
mod invocation;

use std::future::Future;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;

use bytes::Bytes;

use self::client::{ApiError, Client, Next};
use self::invocation::Invocation;
use crate::body::Body;
use crate::environment::Environment;
use crate::guard::catch;
use crate::handler::Service;
use crate::log::log;
use crate::runtime::{Ended, Setup};
use crate::{Error, envelope};

/// Initialises the function, then serves one invocation after the other until the platform ends it.
pub(crate) async fn run<S: Service>(
    api: &str,
    setup: &mut Setup,
    init: impl Future<Output = Result<S, Error>>,
) -> Ended {
    let mut client = Client::new(api, setup.max_payload);
    let Some(initialised) = setup.signals.unless_told(pin!(init)).await else {
        return ended(setup, ExitCode::SUCCESS);
    };
    let service = match initialised {
        Ok(service) => service,
        Err(error) => {
            log!("the function can't start: {error}");
            if let Err(problem) = client.init_error(&error).await {
                log!("{problem}");
            }
            return ended(setup, ExitCode::FAILURE);
        }
    };
    let code = match pull(&mut client, &service, setup).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            log!("the function ends: {problem}");
            ExitCode::FAILURE
        }
    };
    ended(setup, code)
}

fn ended(setup: &Setup, code: ExitCode) -> Ended {
    Ended {
        code,
        grace_end: setup.grace_end(),
    }
}

async fn pull<S: Service>(
    client: &mut Client,
    service: &S,
    setup: &mut Setup,
) -> Result<(), ApiError> {
    let environment = Arc::clone(&setup.environment);
    let max_payload = setup.max_payload;
    loop {
        let Some(next) = setup.signals.unless_told(pin!(client.next())).await else {
            return Ok(());
        };
        let next = next?;
        let mut work = pin!(async {
            match next {
                Next::Invocation(invocation) => {
                    handle(client, service, invocation, &environment).await
                }
                Next::TooLarge { request_id } => {
                    fail(client, &request_id, &Error::too_large(max_payload)).await
                }
            }
        });
        if let Some(done) = setup.signals.unless_told(work.as_mut()).await {
            done?;
            continue;
        }
        let until = setup.grace_end();
        return setup.signals.finish(work, until).await.unwrap_or_else(|| {
            log!("an invocation was still running when the grace ended");
            Ok(())
        });
    }
}

async fn handle<S: Service>(
    client: &mut Client,
    service: &S,
    invocation: Invocation,
    environment: &Arc<Environment>,
) -> Result<(), ApiError> {
    let request_id = invocation.request_id.clone();
    let any_media = invocation.any_media;
    let result = match invocation.open(environment) {
        Ok((request, context)) => catch(service.call(request, context)).await,
        Err(error) => Err(error),
    };
    let (content_type, body) = match result {
        Ok(response) => response.into_parts(),
        Err(error) => return fail(client, &request_id, &error).await,
    };
    let whole = match body {
        Body::Whole(bytes) => bytes,
        Body::Stream(mut chunks) => match chunks.next().await {
            Some(Ok(first)) if any_media => {
                return client
                    .respond_streaming(&request_id, content_type.as_ref(), first, &mut chunks)
                    .await;
            }
            Some(Ok(first)) => {
                let mut begin = envelope::prelude(content_type.as_ref());
                begin.extend_from_slice(&first);
                let kind = &envelope::WITH_PRELUDE;
                return client
                    .respond_streaming(&request_id, Some(kind), begin.into(), &mut chunks)
                    .await;
            }
            Some(Err(error)) => return fail(client, &request_id, &error).await,
            None => Bytes::new(),
        },
    };
    if any_media {
        client
            .respond(&request_id, content_type.as_ref(), &whole)
            .await
    } else {
        let json = envelope::close(whole, content_type.as_ref());
        client
            .respond(&request_id, Some(&crate::response::JSON), &json)
            .await
    }
}

async fn fail(client: &mut Client, request_id: &str, error: &Error) -> Result<(), ApiError> {
    // The message goes to the caller; the log, which others read, gets the type.
    log!("request {request_id} failed: {}", error.error_type());
    client.fail(request_id, error).await
}
