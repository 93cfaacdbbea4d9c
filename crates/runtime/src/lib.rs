//! The function side of Anyport: one binary for every platform.
