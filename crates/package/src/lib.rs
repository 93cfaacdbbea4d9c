//! Reproducible artifacts for Anyport: zip archives, digests, safe unpacking.
