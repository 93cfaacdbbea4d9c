//! A function that greets.

fn main() {}
