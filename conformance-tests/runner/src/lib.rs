//! Runs the conformance suite over Anyport's own adapters.
