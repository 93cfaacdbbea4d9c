//! The anyport command line tool.

fn main() {}
