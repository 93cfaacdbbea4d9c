//! Anyport's Target: deploy, invoke and inspect functions on any provider.
