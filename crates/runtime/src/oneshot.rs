//! One event, one answer, and the process ends: a job's way to run.

use std::fs::File;
use std::future::Future;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::ExitCode;

use bytes::Bytes;
use http::HeaderValue;
use tokio::time::Instant;

use crate::body::Body;
use crate::context::Call;
use crate::environment::{Event, Input};
use crate::error::Fault;
use crate::guard::{Either, catch, race};
use crate::handler::Service;
use crate::log::report;
use crate::runtime::{Ended, Setup};
use crate::{Context, Error, Request, Response};

/// The handler said that it failed.
const FAILED: u8 = 1;
/// It did not get to say anything, or nobody could hear it.
const BROKEN: u8 = 2;

pub(crate) async fn run<S: Service>(
    event: Event,
    setup: &mut Setup,
    init: impl Future<Output = Result<S, Error>>,
) -> Ended {
    let deadline = setup
        .environment
        .timeout
        .map(|limit| Instant::now() + limit);
    let environment = std::sync::Arc::clone(&setup.environment);
    let max_payload = setup.max_payload;
    let result = event.result.clone();
    let mut work = pin!(async {
        let limited = async {
            let service = init.await?;
            let body = read(&event.input, max_payload)?;
            let content_type = event
                .content_type
                .and_then(|ct| HeaderValue::try_from(ct).ok());
            let call = Call {
                request_id: event.request_id,
                deadline: deadline.map(Instant::into_std),
                trace: event.traceparent.and_then(|text| text.parse().ok()),
                idempotency_key: event.idempotency_key,
                invoked_arn: None,
            };
            let context = Context::from_call(call, &environment);
            let response =
                catch(service.call(Request::from_parts(body, content_type), context)).await?;
            write(response, result.as_deref()).await
        };
        let Some(deadline) = deadline else {
            return limited.await;
        };
        match race(pin!(limited), pin!(tokio::time::sleep_until(deadline))).await {
            Either::Left(done) => done,
            Either::Right(()) => Err(Error::timeout()),
        }
    });
    let mut done = setup.signals.unless_told(work.as_mut()).await;
    let grace_end = setup.grace_end();
    if done.is_none() {
        done = setup.signals.finish(work, grace_end).await;
    }
    let done = done.unwrap_or_else(|| {
        Err(Error::unhandled(
            "Runtime.Interrupted",
            "the process was told to end before the handler was done",
        ))
    });
    let code = match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            match error.fault() {
                Fault::Handled => ExitCode::from(FAILED),
                _ => ExitCode::from(BROKEN),
            }
        }
    };
    Ended { code, grace_end }
}

fn read(input: &Input, limit: usize) -> Result<Bytes, Error> {
    let unreadable = |from: &dyn std::fmt::Display, error: io::Error| {
        Error::unhandled(
            "Runtime.NoEvent",
            format!("the event can't be read from {from}: {error}"),
        )
    };
    match input {
        Input::Empty => Ok(Bytes::new()),
        Input::Stdin => read_all(io::stdin().lock(), limit)
            .map_err(|error| unreadable(&"standard input", error)),
        Input::File(path) => File::open(path)
            .and_then(|file| read_all(file, limit))
            .map_err(|error| unreadable(&path.display(), error)),
    }
    .and_then(|bytes: Bytes| {
        if bytes.len() > limit {
            Err(Error::too_large(limit))
        } else {
            Ok(bytes)
        }
    })
}

/// Up to one byte more than the limit, which then shows that there is more.
fn read_all(source: impl Read, limit: usize) -> io::Result<Bytes> {
    let mut bytes = Vec::new();
    source
        .take((limit as u64).saturating_add(1))
        .read_to_end(&mut bytes)?;
    Ok(bytes.into())
}

async fn write(response: Response, result: Option<&Path>) -> Result<(), Error> {
    let mut target = Target::open(result)?;
    match response.into_parts().1 {
        Body::Whole(bytes) => target.write(&bytes)?,
        Body::Stream(mut chunks) => {
            while let Some(chunk) = chunks.next().await {
                target.write(&chunk?)?;
            }
        }
    }
    target.finish()
}

/// Where the answer goes. A file appears under its name only when the answer is complete.
enum Target {
    Stdout(io::Stdout),
    File {
        file: File,
        partial: Partial,
        path: PathBuf,
    },
    /// A pipe or a device, which can't be replaced.
    Special {
        file: File,
        path: PathBuf,
    },
}

/// A file that goes away again unless it was kept.
struct Partial(Option<PathBuf>);

impl Drop for Partial {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Target {
    fn open(path: Option<&Path>) -> Result<Self, Error> {
        let Some(path) = path else {
            return Ok(Self::Stdout(io::stdout()));
        };
        let unwritable = |error| unwritable(&path.display(), &error);
        if std::fs::metadata(path).is_ok_and(|meta| !meta.is_file()) {
            let file = File::options().write(true).open(path).map_err(unwritable)?;
            return Ok(Self::Special {
                file,
                path: path.to_owned(),
            });
        }
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{}.partial", std::process::id()));
        let file = File::create(&name).map_err(unwritable)?;
        Ok(Self::File {
            file,
            partial: Partial(Some(name.into())),
            path: path.to_owned(),
        })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        match self {
            // Flushed each time: whoever reads a stream wants its chunks now.
            Self::Stdout(out) => out
                .write_all(bytes)
                .and_then(|()| out.flush())
                .map_err(|error| unwritable(&"standard output", &error)),
            Self::File { file, path, .. } | Self::Special { file, path } => file
                .write_all(bytes)
                .map_err(|error| unwritable(&path.display(), &error)),
        }
    }

    fn finish(self) -> Result<(), Error> {
        if let Self::File {
            file,
            mut partial,
            path,
        } = self
        {
            let kept = file.sync_all().and_then(|()| match &partial.0 {
                Some(from) => std::fs::rename(from, &path),
                None => Ok(()),
            });
            kept.map_err(|error| unwritable(&path.display(), &error))?;
            partial.0 = None;
        }
        Ok(())
    }
}

fn unwritable(to: &dyn std::fmt::Display, error: &io::Error) -> Error {
    Error::unhandled(
        "Runtime.NoResult",
        format!("the answer can't be written to {to}: {error}"),
    )
}
