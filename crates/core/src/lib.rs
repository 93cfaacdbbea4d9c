//! The Anyport contract: specs, capabilities, plans, outcomes, events and errors.
