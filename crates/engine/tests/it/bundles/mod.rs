//! Python and Node handlers, by themselves and beside AWS's own clients.

mod language;
mod node;
mod oracle;
mod python;
