//! What Lambda can do, with its limits.
