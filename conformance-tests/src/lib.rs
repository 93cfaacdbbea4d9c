//! The Anyport conformance suite, as a library.
