//! A small client that signs.
