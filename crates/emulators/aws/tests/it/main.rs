//! The embedded AWS over HTTP, as a client sees it.

mod client;
