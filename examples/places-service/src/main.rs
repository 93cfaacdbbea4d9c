//! A service that puts its functions where the manifest says, and calls them by name: `places-service [ENVIRONMENT] [FOLDER]`.
//!
//! ```text
//! cargo build --release -p quickstart && cargo run -p places-service
//! curl -d '{"name":"Ada"}' http://127.0.0.1:8080/greet-events
//! ```
//! `POST /FUNCTION` calls a function with the body. Moving a function to another cloud is a change of one line of `anyport.toml`.

mod http;
mod places;

use std::path::PathBuf;
use std::sync::Arc;

use places::{Failure, Places};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut given = std::env::args().skip(1);
    let environment = given.next().unwrap_or_else(|| "dev".to_owned());
    let folder = given
        .next()
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    let places = Arc::new(Places::deploy(&folder, &environment).await?);
    let listener = TcpListener::bind(("127.0.0.1", 8080)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    tokio::select! {
        () = http::serve(listener, places) => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(())
}
