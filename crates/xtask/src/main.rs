//! Keeps the house in order: layering, rule table, benches.

fn main() {}
