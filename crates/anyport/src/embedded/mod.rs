//! Clouds on this machine: the vendor's own wire on loopback, in this process or in the one that runs `anyport dev`.

pub mod aws;
