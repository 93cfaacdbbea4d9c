//! The vendor's definitions: operations, shapes, constraints and errors.
